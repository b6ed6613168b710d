"""What the training step needs of JAX: gradients, and variables passed in and out."""

import jax
import keras
from keras.optimizers import Adam as Adam


def value_and_gradients(function, variables, model):
    """Run ``function() -> (loss, terms)`` and differentiate the loss by Keras variables.

    A scope hides the one around it, so the current value of every variable of the model is handed
    down, not only of those differentiated.
    """
    chosen = {id(variable) for variable in variables}
    others = [
        (variable, keras.ops.convert_to_tensor(variable))
        for variable in model.variables
        if id(variable) not in chosen
    ]

    def pure(values):
        with keras.StatelessScope(state_mapping=[*others, *zip(variables, values, strict=True)]):
            return function()

    values = [keras.ops.convert_to_tensor(variable) for variable in variables]
    (_, terms), gradients = jax.value_and_grad(pure, has_aux=True)(values)
    return terms, gradients


def input_gradient(function, images):
    """Gradient of ``function(images) -> scalar`` by the images."""
    return jax.grad(function)(images)


def either(condition, taken, other, model):
    """What one of two functions returns, which may assign the model's variables.

    A branch is pure in JAX: all variables go in and come out.
    """
    variables = [*model.variables, *model.optimizer.variables]

    def pure(function):
        def branch(values):
            with keras.StatelessScope(zip(variables, values, strict=True)) as scope:
                terms = function()
            return terms, [scope.get_current_value(variable) for variable in variables]

        return branch

    values = [keras.ops.convert_to_tensor(variable) for variable in variables]
    terms, values = jax.lax.cond(condition, pure(taken), pure(other), values)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return terms


def num_replicas() -> int:
    """One: on JAX every operation sees the whole batch."""
    return 1


def local_shard(values):
    """Values for the whole batch, laid out so that each device has its rows."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return values
    return keras.distribution.distribute_tensor(values, distribution.get_data_layout(values.shape))


def mean_over_devices(value):
    """The value: on JAX every operation already sees the whole batch."""
    return value


def together(*values):
    """The values: JAX has no variables whose updates could get ahead of a use."""
    return values


class BackendStep(keras.Model):
    """Keras' entry point to the step: on JAX all state goes in and comes out."""

    def train_step(self, state, data):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        variables = [variable for group in groups for variable in group]
        values = [value for group in state for value in group]
        with keras.StatelessScope(zip(variables, values, strict=True)) as scope:
            logs = self.step(data)
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)
