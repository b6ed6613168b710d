"""Adam for two networks that step in turn."""

import keras

from reverbsynth.gan.backend import Adam
from reverbsynth.settings import OptimizerSettings


class PairedAdam(keras.optimizers.Optimizer):
    """One Adam for each network, which Keras' trainer handles as one optimizer.

    Keras' Adam has the form of TensorFlow 1's, epsilon outside the bias correction; only its
    default epsilon (1e-7) differs from the original's 1e-8. Both are reset at every stage by being
    made anew.
    """

    def __init__(self, settings: OptimizerSettings):
        super().__init__(learning_rate=settings.generator_rate, name="paired_adam")
        self.generator = _adam(settings, settings.generator_rate, "generator_adam")
        self.discriminator = _adam(settings, settings.discriminator_rate, "discriminator_adam")

    def build_for(self, generator_variables, discriminator_variables) -> None:
        """Create the moments of both networks' trainable variables."""
        self.generator.build(generator_variables)
        self.discriminator.build(discriminator_variables)
        self.built = True

    @property
    def variables(self):
        return self.generator.variables + self.discriminator.variables


def _adam(settings: OptimizerSettings, rate: float, name: str) -> Adam:
    return Adam(
        learning_rate=rate,
        beta_1=settings.beta_1,
        beta_2=settings.beta_2,
        epsilon=settings.epsilon,
        name=name,
    )
