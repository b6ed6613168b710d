"""Phase and instantaneous frequency (IF): the phase's step from frame to frame."""

import math

from keras import ops


def _taylor(first: int) -> list[float]:
    """Taylor coefficients in x² of the sine (``first`` 1, over x) or cosine (0) of pi x / 2."""
    powers = range(first, 14, 2)
    return [(-1) ** (n // 2) * (math.pi / 2) ** n / math.factorial(n) for n in powers]


_SINE, _COSINE = _taylor(1), _taylor(0)


def wrapped(step):
    """A step of the phase, less whole turns: radians within [-pi, pi].

    Half a turn keeps the sign it had.
    """
    turns = ops.floor((step + math.pi) / (2 * math.pi))
    least = step - 2 * math.pi * turns
    return ops.where(ops.logical_and(least == -math.pi, step > 0), math.pi, least)


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
    steps = wrapped(phase[:, 1:] - phase[:, :-1])
    return ops.concatenate([phase[:, :1], phase[:, :1] + ops.cumsum(steps, axis=1)], axis=1)


def instantaneous_frequency(phase):
    """Steps of the unwrapped phase over pi; frame 0 holds the phase itself over pi.

    Engel et al., "GANSynth" (2019), section 2. Unwrapping would add up just these steps, so they
    are taken as they are.

    Parameters
    ----------
    phase : tensor [shape=(n, frames, bins)], radians

    Returns
    -------
    tensor [shape=(n, frames, bins)], within [-1, 1], in half turns a frame
    """
    return with_wrapped_steps(phase[:, :1], phase[:, 1:] - phase[:, :-1])


def with_wrapped_steps(first, steps):
    """A first frame's phase and the steps from there, in half turns, the steps wrapped."""
    return ops.concatenate([first, wrapped(steps)], axis=1) / math.pi


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
