"""Adam for two networks that step in turn."""

import math

import keras
from keras import ops

from reverbsynth.gan.backend import backend
from reverbsynth.settings import OptimizerSettings


class PairedAdam(keras.optimizers.Optimizer):
    """One Adam for each network, which Keras' trainer handles as one optimizer.

    Keras' Adam has the form of TensorFlow 1's, epsilon outside the bias correction; only its
    default epsilon (1e-7) differs from the original's 1e-8. Both are reset at every stage by being
    made anew.
    """

    def __init__(self, settings: OptimizerSettings):
        super().__init__(learning_rate=settings.generator_rate, name="paired_adam")
        self.settings = settings
        self.generator, self.discriminator = (
            backend.Adam(rate, settings.beta_1, settings.beta_2, settings.epsilon, name=name)
            for rate, name in (
                (settings.generator_rate, "generator_adam"),
                (settings.discriminator_rate, "discriminator_adam"),
            )
        )

    def build_for(self, generator_variables, discriminator_variables) -> None:
        """Create the moments of both networks' trainable variables."""
        self.generator.build(generator_variables)
        self.discriminator.build(discriminator_variables)
        self.built = True

    def lower_rates(self, share) -> None:
        """Let both rates fall along a cosine to ``final_rate``; so much of the fall has passed."""
        if self.settings.final_rate == 1:
            return
        factor = 1.0 - (1.0 - self.settings.final_rate) * (0.5 - 0.5 * ops.cos(math.pi * share))
        self.generator.learning_rate.assign(self.settings.generator_rate * factor)
        self.discriminator.learning_rate.assign(self.settings.discriminator_rate * factor)

    @property
    def variables(self):
        return self.generator.variables + self.discriminator.variables
