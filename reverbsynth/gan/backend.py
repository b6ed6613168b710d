"""What the training step needs of the Keras backend in use: one of two modules, same names."""

import keras

if keras.backend.backend() == "jax":
    from reverbsynth.gan import backend_jax as _backend
elif keras.backend.backend() == "tensorflow":
    from reverbsynth.gan import backend_tensorflow as _backend
else:
    raise ImportError(
        f"KERAS_BACKEND: found {keras.backend.backend()!r}, expected tensorflow or jax"
    )

BackendStep = _backend.BackendStep
input_gradient = _backend.input_gradient
local_shard = _backend.local_shard
mean_over_devices = _backend.mean_over_devices
num_replicas = _backend.num_replicas
value_and_gradients = _backend.value_and_gradients
with_dependency = _backend.with_dependency
