"""Choosing a few of many: at random, by a seed, or evenly."""

import hashlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """The random generator of one use of a seed, which ``names`` tell apart from the others.

    Two uses never share a stream, so that one more draw in one place changes no other.
    """
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])


def evenly_spaced(length: int, count: int, ends: bool = True) -> np.ndarray:
    """At most ``count`` indices below ``length``, evenly spaced.

    The first and the last are included, or as far from the others as these from each other.

    >>> evenly_spaced(10, 4).tolist()
    [0, 3, 6, 9]
    >>> evenly_spaced(11, 4, ends=False).tolist()
    [2, 4, 6, 8]
    """
    count = min(count, length)
    indices = np.linspace(0, length - 1, count if ends else count + 2).round().astype(int)
    return indices if ends else indices[1:-1]
