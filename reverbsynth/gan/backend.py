"""What the training step needs of the Keras backend in use: one of two modules, same names."""

from importlib import import_module

import keras

from reverbsynth.errors import SettingsError

_NAME = keras.backend.backend()
if _NAME not in ("jax", "tensorflow"):
    raise SettingsError(f"KERAS_BACKEND: found {_NAME!r}, expected tensorflow or jax")
_backend = import_module(f"reverbsynth.gan.backend_{_NAME}")

Adam = _backend.Adam
BackendStep = _backend.BackendStep
either = _backend.either
input_gradient = _backend.input_gradient
local_shard = _backend.local_shard
mean_over_devices = _backend.mean_over_devices
num_replicas = _backend.num_replicas
together = _backend.together
value_and_gradients = _backend.value_and_gradients
