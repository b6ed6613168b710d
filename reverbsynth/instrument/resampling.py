"""Other pitches of one sound, by playing it faster or slower."""

import numpy as np

_REACH = 16
"""Samples on either side that count."""


def transposed(wave: np.ndarray, semitones: float | np.ndarray) -> np.ndarray:
    """A sound at another pitch, or along a curve of pitches.

    Its partials and its decay move along with it, as on a tape. Values between samples are those of
    the band-limited sound: a windowed sinc, whose cutoff falls as the pitch rises. ``semitones``
    are above the pitch that it has: of the whole, or of each sample of the result, which is float32
    [shape=(samples,)] as the wave is, and silent where that has been played to its end.
    """
    speed = 2.0 ** (np.broadcast_to(semitones, wave.shape) / 12)
    positions = np.minimum(np.cumsum(speed) - speed, len(wave) + _REACH)
    whole = positions.astype(int)
    taps = np.arange(1 - _REACH, _REACH + 1)
    # In float32, which is precise enough between two samples, and ten times faster.
    distance = ((positions - whole)[:, None] - taps).astype(np.float32)
    cutoff = np.minimum(1 / speed, 1)[:, None].astype(np.float32)
    kernel = cutoff * np.sinc(cutoff * distance) * np.cos(np.pi * distance / (2 * _REACH)) ** 2
    padded = np.pad(wave, (_REACH, 2 * _REACH + 1))
    return np.sum(padded[whole[:, None] + taps + _REACH] * kernel, axis=1).astype(np.float32)
