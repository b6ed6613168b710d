"""What the training step needs of TensorFlow: gradients."""

import logging

import keras
import tensorflow as tf

# Every stage is a model of its own, compiled once; TensorFlow takes that for retracing.
logging.getLogger("tensorflow").addFilter(
    lambda record: "triggered tf.function retracing" not in record.getMessage()
)

# Where oneDNN is on, the pass that fuses an activation with what comes before it fails, for want of
# what the gradient takes, and says so at every stage.
tf.config.optimizer.set_experimental_options({"remapping": False})


def value_and_gradients(function, variables, model):
    """Run ``function() -> (loss, terms)`` and differentiate the loss by Keras variables.

    Where several replicas train, gradients are this one's part of those of the mean loss: the
    optimizer sums them.
    """
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss, terms = function()
        loss = loss / num_replicas()
    return terms, tape.gradient(loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def input_gradient(function, images):
    """Gradient of ``function(images) -> scalar`` by the images."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        value = function(images)
    return tape.gradient(value, images)


def either(condition, taken, other, model):
    """What one of two functions returns, which may assign the model's variables."""
    return tf.cond(condition, taken, other)


def num_replicas() -> int:
    """Replicas, each of which sees only its shard of a batch."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def local_shard(values):
    """This replica's rows of values for the whole batch."""
    if num_replicas() == 1:
        return values
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    return tf.reshape(values, [num_replicas(), -1, *values.shape[1:]])[replica]


def mean_over_devices(value):
    """The mean of every replica's value; differentiable, twice too."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, value)


def together(*values):
    """The values, but none of them before all are computed.

    A variable is updated in place, and now and then an update that depends on few of a step's
    operations got ahead of another's use of the old value: a loss then came out 1e-4 off,
    differently at every run. Control dependencies, since TensorFlow's optimizer takes an IdentityN
    apart.
    """
    with tf.control_dependencies(values):
        computed = tf.group(*values)
    with tf.control_dependencies([computed]):
        return [tf.identity(value) for value in values]


class Adam(keras.optimizers.Adam):
    """Keras' Adam by TensorFlow's own kernel: one operation a variable in place of thirty."""

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        step = tf.cast(self.iterations, tf.float32) + 1.0
        corrected = tf.sqrt(1.0 - self.beta_2**step) / (1.0 - self.beta_1**step)
        super()._backend_update_step(grads, trainable_variables, learning_rate * corrected)

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=0.0,  # The rate is corrected already.
            beta2_power=0.0,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class BackendStep(keras.Model):
    """Keras' entry point to the step: on TensorFlow the step is called as it is."""

    def train_step(self, data):
        terms = self.step(data)
        if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
            # Keras takes the mean over a batch dimension and the workers.
            terms = {name: tf.reshape(value, [1]) for name, value in terms.items()}
        return terms

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing: the model is built when it is made. Keras would build it from a batch, which it
        cannot put together where several machines hold one each.
        """
