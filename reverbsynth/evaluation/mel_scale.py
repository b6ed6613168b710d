"""Which frequency a bin of an IF-Mel image stands for, by the formula and by the matrix itself."""

from functools import cache

import numpy as np

from reverbsynth.settings import SAMPLE_RATE
from reverbsynth.spectra.mel import hz_to_mel, linear_to_mel, mel_to_hz
from reverbsynth.spectra.stft import BINS, N_FFT


def mel_formula() -> np.ndarray:
    """Band centers in Hz as the HTK formula has them [shape=(1024,)]."""
    edges = np.linspace(0.0, hz_to_mel(SAMPLE_RATE / 2), BINS + 2)
    return mel_to_hz(edges[1:-1])


@cache
def mel_centers() -> np.ndarray:
    """Band centers in Hz as the matrix has them: its weights' mean frequency [shape=(1024,)].

    The original widens narrow bands in place on one shared array of edges, and a widened band
    pushes the next one up. A band without weight is placed between its neighbours.
    """
    matrix = linear_to_mel()
    hz = np.arange(1, BINS + 1) * SAMPLE_RATE / N_FFT
    total = matrix.sum(axis=0)
    filled = total > 0
    place = np.arange(BINS)
    centers = (matrix[:, filled] * hz[:, None]).sum(axis=0) / total[filled]
    return np.interp(place, np.append(-1, place[filled]), np.append(0.0, centers))
