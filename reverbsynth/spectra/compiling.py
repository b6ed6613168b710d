"""One program from many operations, by XLA."""

from collections.abc import Callable

import keras


def compile_function(function: Callable) -> Callable:
    """The function as one program. XLA takes minutes over gradients on TensorFlow, JAX needs it."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, autograph=False)


def compiled(function: Callable) -> Callable:
    """The function as one compiled program, on either backend."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)
