"""One program from many operations."""

from collections.abc import Callable

import keras


def compile_function(function: Callable, xla: bool = False) -> Callable:
    """The function as one program, by XLA if asked for. JAX always needs XLA; on TensorFlow it
    takes minutes over gradients.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=xla, autograph=False)
