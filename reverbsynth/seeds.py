"""Choosing a few of many: at random, by a seed, or evenly."""

import hashlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """The random generator of one use of a seed, which ``names`` tell apart from the others.

    Two uses never share a stream, so that one more draw in one place changes no other.
    """
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])


def evenly_spaced(length: int, count: int) -> np.ndarray:
    """At most ``count`` indices below ``length``, evenly spaced, the first and the last included.

    >>> evenly_spaced(10, 4).tolist()
    [0, 3, 6, 9]
    """
    return np.linspace(0, length - 1, min(count, length)).round().astype(int)
