"""What is changed of images before the critic sees them.

Karras et al., "Training Generative Adversarial Networks with Limited Data" (2020): real and
generated images alike are changed, at random, in ways that say nothing of which is which.
"""

from keras import ops

from reverbsynth.settings import AugmentationSettings
from reverbsynth.spectra.representation import Representation

DRAWS = 4
"""Uniform numbers that the changes of one image take."""


def augment(
    images, draws, strength, settings: AugmentationSettings, representation: Representation
):
    """Images with their level and their place in time changed, each with some probability.

    Parameters
    ----------
    images : tensor [shape=(n, frames, bins, 2)], de-normalized
    draws : tensor [shape=(n, 4)]
        In [0, 1), for each image: whether, and by how much, level and time are changed.
    strength : scalar tensor
        Probability of each change.
    """
    taken = ops.cast(draws[:, :2] < strength, "float32")
    amounts = taken * (2.0 * draws[:, 2:] - 1.0)
    if settings.gain:
        images = representation.louder(images, settings.gain * amounts[:, 0])
    frames = images.shape[1]
    furthest = round(settings.shift * frames)
    if furthest:
        images = roll_frames(images, ops.cast(ops.round(furthest * amounts[:, 1]), "int32"))
    return images


def roll_frames(images, frames):
    """Images moved by so many frames [shape=(n,)], int, later; the end comes back at the start.

    As a product with a permutation, which both backends differentiate quickly.
    """
    places = ops.arange(images.shape[1])[None] - frames[:, None]
    places = ops.one_hot(ops.mod(places, images.shape[1]), images.shape[1], dtype="float32")
    return ops.einsum("nts,nsbc->ntbc", places, images)


def overfitting(trained, held_out, generated):
    """How the critic scores held-out images: 0 like those trained on, 1 like generated ones.

    The mean scores' r_v of Karras et al. (equation 1), which holds for scores of any scale.
    """
    trained, held_out, generated = (ops.mean(score) for score in (trained, held_out, generated))
    return (trained - held_out) / (trained - generated)
