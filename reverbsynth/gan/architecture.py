"""Shapes of the generator's weights, by arithmetic alone: playing needs no Keras."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.schedule import blocks, resolution
from reverbsynth.settings import GanSettings

CHANNELS = 2  #: Of an image: log-magnitude and instantaneous frequency.
LEAK = 0.2  #: Slope of the leaky ReLU below zero.
START = resolution(1)  #: Frames and bins of the first block: 2 x 16.
#: Channels of `reverbsynth.gan.pitch_coordinates`, where the pitch is told as a number.
COORDINATES = 6
#: The first block that is given them; below, a bin is wider than harmonics are apart.
FIRST_COORDINATED = 3
#: The first block whose last layer, where there are coordinates, adds to what the block before says
#: of a pixel: beyond the paper's resolution, where the tone is finer than what is left to say.
FIRST_REFINING = 6
#: Of the shares of timbres: so many times a latent vector's first numbers are their logarithms.
SHARPNESS = 8.0
#: What a timbre is given as that has all of the share, beside numbers drawn from N(0, 1).
SHARE = 4.0
#: A tone's level before the tanh at which nothing of it is let through: the floor is at -0.8.
SILENCE = -1.1
#: Slope of a level below that of silence, which need not be hit exactly: no recording is lower.
BELOW_FLOOR = 0.1
#: How much a step of its weights moves an instantaneous frequency, beside those of a level.
DIFFERENCE = 0.02
TONE_LIMIT = 0.99  #: Of an ideal tone's image, whose inverse tanh is taken.


def filters(settings: GanSettings, block: int) -> int:
    """Channels of a block: ``min(base / 2^block, max)`` (Table 5).

    Block 0 is the discriminator's last.
    """
    return max(1, min(settings.filters_base // 2**block, settings.filters_max))


def condition_size(settings: GanSettings, labels: LabelSpace) -> int:
    """Numbers that tell the generator its labels.

    One-hot blocks side by side; where the pitch is a number, it stands in place of its block, or,
    where its key is told, too, before it.
    """
    if settings.pitch_input == "one-hot":
        return labels.width
    return labels.width + 1 - (0 if settings.key_shares else len(labels["pitch"]))


def condition(
    settings: GanSettings,
    labels: LabelSpace,
    values: Mapping[str, Sequence[Any]],
    trained_pitches: Sequence[int],
) -> np.ndarray:
    """What tells the generator the labels of some notes, float32 [shape=(n, condition_size)].

    ``values`` has, by label, a value for each note, or a mapping from values to their shares; where
    the pitch is told as a number, any real one. ``trained_pitches``, in ascending order, count
    where the key is told, too. A value that a label does not have is a `ReverbSynthError`.
    """
    blocks = []
    for name in labels:
        if name == "pitch" and settings.pitch_input == "harmonic":
            blocks.append(np.array(values[name], np.float32)[:, None])
            if settings.key_shares:
                blocks.append(key_shares(values[name], labels[name], trained_pitches))
        else:
            blocks.append(labels.one_hot(name, values[name]))
    return np.concatenate(blocks, axis=1)


def key_shares(
    pitches: Sequence[float], keys: Sequence[int], trained_pitches: Sequence[int]
) -> np.ndarray:
    """Shares of the two trained keys next to each pitch, float32 [shape=(n, keys)]; else 0.

    They change in straight lines from key to key, and not beyond the first and the last.
    """
    shares = np.zeros((len(pitches), len(keys)), np.float32)
    for key, own in zip(trained_pitches, np.eye(len(trained_pitches)), strict=True):
        shares[:, keys.index(key)] = np.interp(pitches, trained_pitches, own)
    return shares


def register(pitch):
    """A MIDI pitch as a number about 0, as the latent input holds it."""
    return (pitch - 52.0) / 14.0


def coordinates_of(settings: GanSettings, block: int) -> int:
    """Coordinate channels that a block is given beside its own."""
    given = settings.pitch_input == "harmonic" and block >= FIRST_COORDINATED
    return COORDINATES if given else 0


def generator_shapes(
    settings: GanSettings, condition_size: int, stage: int
) -> dict[str, tuple[int, ...]]:
    """Shapes of the generator's variables by name, in the network's own order (Table 3).

    Names are such as ``block_3/conv0/kernel``; kernels are (height, width, in, out).
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in generator_kernels(settings, condition_size, stage).items():
        shapes[f"{name}/kernel"] = shape
        shapes[f"{name}/bias"] = shape[-1:]
    return shapes


def generator_kernels(
    settings: GanSettings, condition_size: int, stage: int
) -> dict[str, tuple[int, ...]]:
    """Kernel shapes of the generator's layers by names such as ``block_3/conv0``."""
    kernels: dict[str, tuple[int, ...]] = {}
    to_rgb: dict[str, tuple[int, ...]] = {}
    width, side = settings.latent_size + condition_size, settings.kernel_size
    for block in range(1, blocks(stage) + 1):
        channels, told = filters(settings, block), coordinates_of(settings, block)
        first = START if block == 1 else (side, side)
        kernels[f"block_{block}/conv0"] = (*first, width, channels)
        if block > 1 and settings.skip_latent:
            # To the outputs of both convolutions.
            told_size = settings.latent_size + condition_size
            kernels[f"block_{block}/skip"] = (told_size, 2 * channels)
        kernels[f"block_{block}/conv1"] = (side, side, channels + told, channels)
        # Where there are coordinates, a third output is the gate of the ideal tone.
        to_rgb[f"block_{block}/to_rgb"] = (1, 1, channels + told, CHANNELS + bool(told))
        width = channels
    return kernels | to_rgb
