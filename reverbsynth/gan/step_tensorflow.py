"""What the training step needs of TensorFlow: gradients."""

import logging

import tensorflow as tf

# Every stage is a model of its own, compiled once; TensorFlow takes that for retracing.
logging.getLogger("tensorflow").addFilter(
    lambda record: "triggered tf.function retracing" not in record.getMessage()
)


def value_and_gradients(function, variables, model):
    """Run ``function() -> (loss, terms)`` and differentiate the loss by Keras variables."""
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss, terms = function()
    return terms, tape.gradient(loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def input_gradient(function, images):
    """Gradient of ``function(images) -> scalar`` by the images."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        value = function(images)
    return tape.gradient(value, images)


def once_known(value, images):
    """The images, but not before the value is computed.

    A variable is updated in place, and now and then an update that depends on the critic's real
    images alone (its label heads) got ahead of the generator step's use of what it had read: its
    loss then came out 1e-4 off, differently at every run.
    """
    with tf.control_dependencies([value]):
        return tf.identity(images)


class BackendStep:
    """Keras' entry point to the step: on TensorFlow the step is called as it is."""

    def train_step(self, data):
        return self.step(data)
