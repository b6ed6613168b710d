"""The spectrum of an ideal harmonic tone, in closed form: where the harmonics of a pitch lie.

A steady tone whose harmonic h has amplitude ``1 / sqrt(h)`` shows, at each bin of its STFT, the
transform of the window around the nearest harmonics, and from frame to frame the phase step of the
nearest one. Both are formulas of the fundamental in Hz, a real number.
"""

import math

from keras import ops

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.spectra.format import BINS, HARMONIC_AMPLITUDE, HOP, N_FFT
from reverbsynth.spectra.phase import wrapped

_BIN_HZ = SAMPLE_RATE / N_FFT


def frequency_of(pitch):
    """Frequency in Hz of a MIDI pitch, which may lie between two keys."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def harmonic_spectrum(frequency):
    """Power of an ideal tone at the STFT's bins, and the phase step of the nearest harmonic.

    Of fundamentals in Hz [shape=(n,)], below half the sample rate; both [shape=(n, 1024)], the step
    in radians within [-pi, pi]. Three harmonics count at each bin, the nearest and its neighbours;
    their powers are added, as their phases are unknown.
    """
    frequency = ops.cast(frequency, "float32")[:, None]
    hz = (ops.arange(BINS, dtype="float32") + 1.0)[None] * _BIN_HZ
    last = ops.floor((SAMPLE_RATE / 2 - 1e-3) / frequency)
    nearest = ops.clip(ops.round(hz / frequency), 1.0, last)
    harmonics = nearest[..., None] + ops.convert_to_tensor([-1.0, 0.0, 1.0])
    there = ops.logical_and(harmonics >= 1.0, harmonics <= last[..., None])
    lobes = window_transform((hz[..., None] - harmonics * frequency[..., None]) / _BIN_HZ)
    peaks = (HARMONIC_AMPLITUDE * N_FFT / 4) ** 2 / ops.maximum(harmonics, 1.0)
    power = ops.sum(ops.where(there, peaks * ops.square(lobes), 0.0), axis=-1)
    # In turns, of which whole ones are taken off before they lose digits.
    turns = frequency * (HOP / SAMPLE_RATE)
    turns = nearest * (turns - ops.floor(turns))
    return power, wrapped(2.0 * math.pi * (turns - ops.floor(turns)))


def window_transform(bins):
    """Fourier transform of the periodic Hann window, so many bins from its peak of 1.

    ``sin(pi d) / (pi d (1 - d²))``, an even function; its removable poles at 0 and 1 are stepped
    around.
    """
    distance = ops.abs(bins)
    near = ops.abs(distance * (1.0 - distance**2)) < 1e-3
    distance = ops.where(near, distance + 2e-3, distance)
    return ops.sin(math.pi * distance) / (math.pi * distance * (1.0 - distance**2))
