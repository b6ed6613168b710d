"""What the training step needs of the Keras backend in use: one of two modules, same names."""

import keras

if keras.backend.backend() == "jax":
    from reverbsynth.gan.step_jax import (
        BackendStep,
        input_gradient,
        mean_over_devices,
        once_known,
        own_share,
        shares,
        value_and_gradients,
    )
elif keras.backend.backend() == "tensorflow":
    from reverbsynth.gan.step_tensorflow import (
        BackendStep,
        input_gradient,
        mean_over_devices,
        once_known,
        own_share,
        shares,
        value_and_gradients,
    )
else:
    raise ImportError(
        f"KERAS_BACKEND: found {keras.backend.backend()!r}, expected tensorflow or jax"
    )

__all__ = [
    "BackendStep",
    "input_gradient",
    "mean_over_devices",
    "once_known",
    "own_share",
    "shares",
    "value_and_gradients",
]
