"""One program from many operations."""

from collections.abc import Callable

import keras

# Our arrays are of this kind and order, whatever a user's keras.json says.
keras.config.set_floatx("float32")
keras.config.set_image_data_format("channels_last")


def compile_function(function: Callable, xla: bool = False) -> Callable:
    """The function as one program. XLA takes minutes over gradients on TensorFlow; JAX needs it."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=xla, autograph=False)
