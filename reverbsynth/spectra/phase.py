"""Phase and instantaneous frequency (IF): the phase's step from frame to frame."""

import math

from keras import ops


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
    """Phase in radians from instantaneous frequency: the inverse of `instantaneous_frequency`."""
    return ops.cumsum(frequency * math.pi, axis=1)
