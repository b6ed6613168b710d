"""The progressive GAN: schedule, networks, losses and the training step."""
