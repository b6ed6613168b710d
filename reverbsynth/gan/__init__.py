"""The progressive GAN: schedule, networks, losses and the training step."""

from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.gan.stages import Schedule

__all__ = ["ProgressiveGAN", "Schedule"]
