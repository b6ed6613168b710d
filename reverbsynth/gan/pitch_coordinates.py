"""Pitch as a coordinate: where the harmonics of the asked pitch lie, told at every block.

A one-hot pitch must become a comb of harmonics a few bins apart, through every layer, anew for each
pitch. Here the generator is given the comb, as convolutions are given their place by CoordConv
(Liu et al., "An intriguing failing of convolutional neural networks", 2018) and vocoders their
excitation (Wang et al., "Neural source-filter waveform models", 2019; Engel et al., "DDSP", 2020).
It is a formula of a real number: keys that no note was recorded for, and pitches between keys, are
asked for like any other. An image starts from that tone, too: of its instantaneous frequency the
networks' last layers say the difference, and of its level how much is let through.
"""

import math

from keras import ops

from reverbsynth.gan.architecture import (
    BELOW_FLOOR,
    DIFFERENCE,
    FIRST_COORDINATED,
    SILENCE,
    TONE_LIMIT,
)
from reverbsynth.gan.schedule import resolution
from reverbsynth.spectra.format import BINS
from reverbsynth.spectra.harmonics import frequency_of
from reverbsynth.spectra.mel import bin_frequencies
from reverbsynth.spectra.representation import Representation


def pitch_coordinates(pitch, representation: Representation):
    """The coordinates of MIDI pitches [shape=(n,)], real numbers, along the bins of an image.

    For a bin of frequency f and a fundamental f0: cosine and sine of ``2 pi f / f0`` and of ``pi f
    / f0``; then level and instantaneous frequency of an ideal harmonic tone [shape=(n, 1024, 6)].
    """
    hz = ops.convert_to_tensor(bin_frequencies(representation.kind), "float32")
    # Whole turns taken off first: upper bins are hundreds of harmonics away.
    halves = 0.5 * hz[None] / frequency_of(pitch)[:, None]
    angle = 2.0 * math.pi * (halves - ops.floor(halves))
    comb = [ops.cos(2.0 * angle), ops.sin(2.0 * angle), ops.cos(angle), ops.sin(angle)]
    parts = [ops.stack(comb, axis=-1), representation.harmonic_image(pitch)]
    return ops.concatenate(parts, axis=-1)


def coordinates_of_blocks(pitch, representation: Representation, n_blocks: int) -> dict:
    """Coordinates of a pitch [shape=(n, bins, 6)] at the blocks that are given them, by number."""
    given = range(FIRST_COORDINATED, n_blocks + 1)
    if not given:
        return {}
    coordinates = pitch_coordinates(pitch, representation)
    return {block: at_bins(coordinates, resolution(block)[1]) for block in given}


def at_bins(coordinates, bins: int):
    """Coordinates [shape=(n, 1024, 6)] averaged to so many bins [shape=(n, bins, 6)]."""
    parts = ops.reshape(coordinates, (-1, bins, BINS // bins, coordinates.shape[-1]))
    return ops.mean(parts, axis=2)


def over_tone(x, coordinates, representation: Representation):
    """A normalized image [shape=(n, frames, bins, 2)] from what `to_rgb` says and the ideal tone.

    It says a level, the difference of the second channel, and a gate. The image has the level and,
    through the gate, how far the tone is above silence; and the difference, a part of it, and the
    tone's instantaneous frequency. A bare phase starts from nothing.
    """
    tone = ops.arctanh(ops.clip(coordinates[:, None, :, 4:], -TONE_LIMIT, TONE_LIMIT))
    level, second, gate = ops.split(x, 3, axis=-1)
    level = ops.tanh(level + ops.sigmoid(gate) * (tone[..., :1] - SILENCE))
    floor = representation.silence
    level = floor + ops.leaky_relu(level - floor, negative_slope=BELOW_FLOOR)
    if representation.kind != "phase":
        second = DIFFERENCE * second + tone[..., 1:]
    return ops.concatenate([level, ops.tanh(second)], axis=-1)
