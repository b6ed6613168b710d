"""The labels of a network, in order, and the values that each of them takes."""

from collections import UserDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reverbsynth.errors import ReverbSynthError


class LabelSpace(UserDict[str, tuple[Any, ...]]):
    """Labels in order, each with its values in order: both decide where a one-hot block lies.

    A value that a label does not have is a `ReverbSynthError`.

    >>> space = LabelSpace({"pitch": [40, 41, 42], "effect": ["dry", "reverb"]})
    >>> space.width, space.index("effect", "reverb")
    (5, 1)
    >>> space.one_hot("effect", ["reverb", "dry"]).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """

    def __init__(self, values: Mapping[str, Sequence[Any]]):
        super().__init__({name: tuple(each) for name, each in values.items()})

    @classmethod
    def from_json(cls, pairs: Any) -> "LabelSpace":
        """Labels as `to_json` wrote them; a ValueError for anything else, or for equal values."""
        if not isinstance(pairs, list) or not all(
            isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], list) and pair[1]
            for pair in pairs
        ):
            raise ValueError("labels: expected a list of names, each with a list of values")
        space = cls({str(name): values for name, values in pairs})
        doubled = [values for values in space.values() if len(set(map(str, values))) < len(values)]
        if doubled or len(space) < len(pairs):
            raise ValueError("labels: expected each name and each value once")
        return space

    def to_json(self) -> list[list[Any]]:
        """Pairs of a name and its values: JSON objects have no order, lists do."""
        return [[name, list(values)] for name, values in self.items()]

    @property
    def sizes(self) -> dict[str, int]:
        """Number of classes of each label."""
        return {name: len(values) for name, values in self.items()}

    @property
    def width(self) -> int:
        """Length of all one-hot blocks together."""
        return sum(self.sizes.values())

    def index(self, name: str, value: Any) -> int:
        """The class of a value."""
        try:
            return self[name].index(value)
        except ValueError:
            values = list(map(str, self[name]))
            known = f"{values[0]} to {values[-1]}" if name == "pitch" else ", ".join(values)
            raise ReverbSynthError(f"{name}: found {value}, expected one of {known}") from None

    def one_hot(self, name: str, values: Sequence[Any]) -> np.ndarray:
        """One-hot rows of a label's values, float32 [shape=(n, classes)].

        A mapping from values to their shares is a row of shares; pitches are not mixed.
        """
        block = np.zeros((len(values), len(self[name])), np.float32)
        for row, value in zip(block, values, strict=True):
            shares = value if isinstance(value, Mapping) and name != "pitch" else {value: 1.0}
            for part, share in shares.items():
                row[self.index(name, part)] = share
        return block
