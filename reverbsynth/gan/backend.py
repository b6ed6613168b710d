"""What the training step needs of the Keras backend in use: one of two modules, same names."""

from importlib import import_module
from typing import Any

import keras

from reverbsynth.errors import SettingsError

_NAME = keras.backend.backend()
if _NAME not in ("jax", "tensorflow"):
    raise SettingsError(f"KERAS_BACKEND: found {_NAME!r}, expected tensorflow or jax")

backend: Any = import_module(f"reverbsynth.gan.backend_{_NAME}")
