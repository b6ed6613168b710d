"""Phase and instantaneous frequency (IF): the phase's step from frame to frame."""

import math

from keras import ops


def wrapped(step):
    """A step of the phase, less whole turns: radians within [-pi, pi].

    Half a turn keeps the sign it had.
    """
    turns = ops.floor((step + math.pi) / (2 * math.pi))
    least = step - 2 * math.pi * turns
    return ops.where(ops.logical_and(least == -math.pi, step > 0), math.pi, least)


def instantaneous_frequency(phase):
    """Steps of the unwrapped phase [shape=(n, frames, bins)] in half turns; in frame 0 the phase.

    Engel et al., "GANSynth" (2019), section 2. Unwrapping would add up just these steps, so they
    are taken as they are.
    """
    return with_wrapped_steps(phase[:, :1], phase[:, 1:] - phase[:, :-1])


def with_wrapped_steps(first, steps):
    """A first frame's phase and the steps from there, in half turns, the steps wrapped."""
    return ops.concatenate([first, wrapped(steps)], axis=1) / math.pi


def integrate(frequency):
    """Phase in half turns from instantaneous frequency: undoes `instantaneous_frequency`.

    Running sums within a few frames, and of those sums, which rounds less than one sum.
    """
    frames, bins = frequency.shape[1:]
    few = math.gcd(frames, 8)
    within = ops.cumsum(ops.reshape(frequency, (-1, frames // few, few, bins)), axis=2)
    until = ops.cumsum(within[:, :-1, -1], axis=1)
    before = ops.pad(until, ((0, 0), (1, 0), (0, 0)))
    return ops.reshape(within + before[:, :, None], (-1, frames, bins))
