"""The STFT's framing and the image's shape as plain numbers: playing needs no Keras.

GANSynth's framing: a periodic Hann window of 2048 samples every 512, no centring. 3072 zeros
stand before the note and none after, which makes exactly 128 frames; DC is dropped, which leaves
1024 bins. Engel et al., "GANSynth" (2019), appendix.
"""

from functools import cache

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH

N_FFT = 2048
HOP = 512
FRAMES = 128
BINS = 1024

LEAD = (FRAMES - 1) * HOP + N_FFT - NOTE_LENGTH
"""Zeros before the note: 3072."""

IMAGE_SHAPE = (FRAMES, BINS, 2)
"""A note's image at full size: frames, bins, channels."""

FLOOR = 1e-6
"""Added to magnitudes before their logarithm is taken."""

TINY = 1e-20
"""Keeps a division by a silent bin, and a gradient there, finite."""

HARMONIC_AMPLITUDE = 0.05
"""Fundamental of the ideal tone of `reverbsynth.spectra.harmonics`: a bass note's."""


@cache
def window() -> np.ndarray:
    """Periodic Hann window, float64 [shape=(2048,)]."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)


@cache
def dual_window() -> np.ndarray:
    """Window of the inverse, float64 [shape=(2048,)]: the window over its shifts' summed squares.

    Griffin and Lim, "Signal estimation from modified short-time Fourier transform" (1984), eq. 6.
    """
    squares = (window() ** 2).reshape(-1, HOP).sum(axis=0)
    return window() / np.tile(squares, N_FFT // HOP)
