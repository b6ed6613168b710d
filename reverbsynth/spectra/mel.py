"""Which frequency a bin of an IF-Mel image stands for, by the formula and by the matrix itself."""

from functools import cache

import numpy as np

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.spectra.format import BINS, FLOOR, N_FFT, TINY


def mel_formula() -> np.ndarray:
    """Band centers in Hz as the HTK formula has them [shape=(1024,)]."""
    return mel_to_hz(np.linspace(0.0, hz_to_mel(SAMPLE_RATE / 2), BINS + 2)[1:-1])


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
    bands = np.arange(BINS)
    centers = (matrix[:, filled] * hz[:, None]).sum(axis=0) / total[filled]
    return np.interp(bands, np.append(-1, bands[filled]), np.append(0.0, centers))


def bin_frequencies(representation: str) -> np.ndarray:
    """Frequency in Hz that each bin of an image stands for, float64 [shape=(1024,)]."""
    if representation == "mel":
        return mel_centers()
    return np.arange(1, BINS + 1) * (SAMPLE_RATE / N_FFT)


_BREAK_HZ = 700.0
_Q = 1127.0
_NYQUIST = SAMPLE_RATE / 2


def hz_to_mel(hz):
    """HTK mel scale, 1127 ln(1 + f/700)."""
    return _Q * np.log(1.0 + np.asarray(hz, np.float64) / _BREAK_HZ)


def mel_to_hz(mel):
    """Inverse of `hz_to_mel`."""
    return _BREAK_HZ * (np.exp(np.asarray(mel, np.float64) / _Q) - 1.0)


@cache
def linear_to_mel() -> np.ndarray:
    """Weights from STFT bins to mel bins, float64 [shape=(1024 STFT bins, 1024 mel bins)]."""
    edges = np.linspace(0.0, hz_to_mel(_NYQUIST), BINS + 2)
    narrow = 1.5 * _NYQUIST / BINS
    for band in range(BINS):
        low, center, high = mel_to_hz(edges[band : band + 3])
        if high - low < narrow:
            ratio = 0.5 * narrow / (center + _BREAK_HZ)
            # asinh in its textbook form, as in the original: np.arcsinh is 2e-12 away.
            half_width = _Q * np.log(ratio + np.sqrt(1.0 + ratio**2))
            edges[band] = edges[band + 1] - half_width
            edges[band + 2] = edges[band + 1] + half_width
    hz = mel_to_hz(edges)
    low, center, high = hz[:-2], hz[1:-1], hz[2:]
    bins = np.linspace(0, _NYQUIST, BINS)[:, np.newaxis]
    rising = (bins - low) / (center - low)
    falling = (high - bins) / (high - center)
    weights = np.maximum(0, np.minimum(rising, falling))
    weights[0] = 0
    return weights


@cache
def mel_to_linear() -> np.ndarray:
    """Approximate inverse of `linear_to_mel`, float64 [shape=(1024 mel bins, 1024 STFT bins)].

    The transpose, with each column scaled by the column sums of ``M Mᵀ``.
    """
    matrix = linear_to_mel()
    sums = (matrix @ matrix.T).sum(axis=0)
    return matrix.T / np.where(np.abs(sums) > 1e-8, sums, 1.0)


class Banded:
    """A matrix with few entries a column, applied by gathering: exact where a GPU's matrix products
    would round to fewer bits, which a phase of hundreds of radians does not survive.

    ``sources`` and ``weights`` [shape=(entries, columns)] say which rows make up each column.
    """

    def __init__(self, matrix: np.ndarray):
        entries = int((matrix != 0).sum(axis=0).max())
        # A stable sort brings each column's nonzero rows to the front, in order.
        self.sources = np.argsort(matrix == 0, axis=0, kind="stable")[:entries]
        self.weights = np.take_along_axis(matrix, self.sources, axis=0).astype(np.float32)

    def __call__(self, x):
        """``x @ matrix`` over the last axis, on tensors."""
        from keras import ops

        return ops.moveaxis(self.of_rows(ops.moveaxis(x, -1, 0)), 0, -1)

    def of_rows(self, x):
        """``matrix.T @ x`` over the first axis, on tensors: whole rows are gathered much faster."""
        from keras import ops

        weights = self.weights.reshape(self.weights.shape + (1,) * (len(x.shape) - 1))
        return sum(
            ops.take(x, source, axis=0) * weight
            for source, weight in zip(self.sources, weights, strict=True)
        )


@cache
def to_mel_bins() -> Banded:
    """`linear_to_mel`, ready to apply."""
    return Banded(linear_to_mel())


@cache
def to_linear_bins() -> Banded:
    """`mel_to_linear`, ready to apply: two entries a column."""
    return Banded(mel_to_linear())


NNLS_UPDATES = 10
"""Multiplicative updates of `linear_magnitude`."""


@cache
def normal_equations() -> tuple[Banded, Banded]:
    """``Mᵀ`` and ``M Mᵀ`` of the mel matrix M, ready to apply."""
    matrix = linear_to_mel()
    return Banded(matrix.T), Banded(matrix @ matrix.T)


def linear_magnitude(power, non_negative: bool = False):
    """Magnitudes of STFT bins from the power of mel bins, both [shape=(n, 128, 1024)].

    By `mel_to_linear`, where `FLOOR` is added a second time, as in the original. Or from there by
    non-negative least squares, where it is taken off: the multiplicative updates of Lee and Seung,
    "Algorithms for Non-negative Matrix Factorization" (2001).
    """
    from keras import ops

    if not non_negative:
        return ops.sqrt(to_linear_bins()(power) + FLOOR)
    power = ops.moveaxis(ops.maximum(power - FLOOR, 0.0), -1, 0)
    transposed, squared = normal_equations()
    wanted = transposed.of_rows(power)

    def update(_, linear):
        return linear * wanted / (squared.of_rows(linear) + TINY)

    linear = ops.fori_loop(0, NNLS_UPDATES, update, to_linear_bins().of_rows(power))
    return ops.moveaxis(ops.sqrt(linear), 0, -1)
