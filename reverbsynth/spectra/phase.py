"""Phase and instantaneous frequency (IF): the phase's step from frame to frame."""

import math

from keras import ops


def _taylor(first: int) -> list[float]:
    """Taylor coefficients in x² of the sine (``first`` 1, over x) or cosine (0) of pi x / 2."""
    powers = range(first, 14, 2)
    return [(-1) ** (n // 2) * (math.pi / 2) ** n / math.factorial(n) for n in powers]


_SINE, _COSINE = _taylor(1), _taylor(0)


def unwrap(phase):
    """Remove the jumps of 2 pi along time.

    Parameters
    ----------
    phase : tensor [shape=(n, frames, bins)], radians

    Returns
    -------
    tensor [shape=(n, frames, bins)], radians
        The same first frame, steps within [-pi, pi].
    """
    step = phase[:, 1:] - phase[:, :-1]
    wrapped = ops.mod(step + math.pi, 2 * math.pi) - math.pi
    # A step of exactly half a turn keeps the sign it had.
    wrapped = ops.where(ops.logical_and(wrapped == -math.pi, step > 0), math.pi, wrapped)
    return ops.concatenate([phase[:, :1], phase[:, :1] + ops.cumsum(wrapped, axis=1)], axis=1)


def instantaneous_frequency(phase):
    """Steps of the unwrapped phase over pi; frame 0 holds the phase itself over pi.

    Engel et al., "GANSynth" (2019), section 2.

    Parameters
    ----------
    phase : tensor [shape=(n, frames, bins)], radians

    Returns
    -------
    tensor [shape=(n, frames, bins)], within [-1, 1], in half turns a frame
    """
    unwrapped = unwrap(phase)
    steps = unwrapped[:, 1:] - unwrapped[:, :-1]
    return ops.concatenate([unwrapped[:, :1], steps], axis=1) / math.pi


def integrate(frequency):
    """Phase in half turns from instantaneous frequency: undoes `instantaneous_frequency`.

    Running sums within a few frames, and of those sums: additions of whole arrays, where
    `keras.ops.cumsum` costs as much as the inverse FFT.
    """
    frames, bins = frequency.shape[1:]
    few = math.gcd(frames, 8)
    within = _running_sums(ops.reshape(frequency, (-1, frames // few, few, bins)), axis=2)
    until = _running_sums(within[:, :, -1], axis=1)
    before = ops.pad(until[:, :-1], ((0, 0), (1, 0), (0, 0)))
    return ops.reshape(within + before[:, :, None], (-1, frames, bins))


def _running_sums(x, axis: int):
    parts = ops.unstack(x, axis=axis)
    for i in range(1, len(parts)):
        parts[i] = parts[i] + parts[i - 1]
    return ops.stack(parts, axis=axis)


def cosine_and_sine(phase):
    """Cosine and sine of a phase in half turns.

    By Taylor series of the half angle, whole turns taken off first. Whole turns are exact in these
    units, so this is nearer the truth than radians of many turns; and the cosine that XLA
    compiles for CPUs costs more than the inverse FFT.

    Parameters
    ----------
    phase : tensor, half turns

    Returns
    -------
    tuple of tensors
        Off by at most 1e-6.
    """
    half = phase - 2.0 * ops.round(0.5 * phase)
    square = half * half
    sine = half * _polynomial(_SINE, square)
    cosine = _polynomial(_COSINE, square)
    return 1.0 - 2.0 * sine * sine, 2.0 * sine * cosine


def _polynomial(coefficients: list[float], x):
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value
