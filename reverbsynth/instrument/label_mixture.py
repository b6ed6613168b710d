"""Values of a label, and mixtures of them: the dial between dry and wet.

Training shows a network whole effects only: each is a one-hot vector. Between two of them lies the
line that a mixture moves along.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reverbsynth.errors import ReverbSynthError

TOLERANCE = 1e-6
"""How far the weights' sum may be from 1."""


def one_hot(label: str, values: Sequence, chosen: Any, count: int) -> np.ndarray:
    """A label's block of the generator's input.

    Parameters
    ----------
    label : str
    values : sequence
        Its vocabulary.
    chosen : value, mapping, or sequence of either
        For all notes, or one for each. A mapping gives weights to values.
    count : int
        Number of notes.

    Returns
    -------
    ndarray, float32 [shape=(count, len(values))]

    Raises
    ------
    ReverbSynthError
        For an unknown value, another number of notes, or weights that are negative or do not sum
        to 1.
    """
    if isinstance(chosen, str | Mapping) or not isinstance(chosen, Sequence | np.ndarray):
        chosen = [chosen] * count
    if len(chosen) != count:
        raise ReverbSynthError(f"{label}: found {len(chosen)} values, expected {count}")
    block = np.zeros((count, len(values)), np.float32)
    for row, one in enumerate(chosen):
        # A pitch between two pitches is none.
        if isinstance(one, Mapping) and label != "pitch":
            check(label, one, values)
            for value, weight in one.items():
                block[row, values.index(value)] = weight
        else:
            block[row, _place(label, one, values)] = 1
    return block


def check(label: str, weights: Mapping[Any, float], values: Sequence) -> None:
    """Refuse a mixture that is none.

    Raises
    ------
    ReverbSynthError
        See `one_hot`.
    """
    for value, weight in weights.items():
        _place(label, value, values)
        if isinstance(weight, bool) or not isinstance(weight, int | float | np.number):
            raise ReverbSynthError(
                f"{label}: weight of {value}: found {weight!r}, expected a number"
            )
        if not weight >= 0:
            raise ReverbSynthError(
                f"{label}: weight of {value}: found {weight:g}, expected 0 or more"
            )
    total = math.fsum(weights.values())
    if not abs(total - 1) <= TOLERANCE:
        raise ReverbSynthError(f"{label}: found weights that sum to {total:g}, expected 1")


def reference(values: Sequence) -> Any:
    """The effect that others are an amount of: dry, or else the first."""
    return "dry" if "dry" in values else values[0]


def mix_labels(first: Any, second: Any, share: float) -> dict | Any:
    """The mixture with ``share`` of the second value; a whole one is the value itself."""
    if share in (0, 1) or first == second:
        return second if share == 1 else first
    return {first: 1 - share, second: share}


def parse(label: str, text: str, values: Sequence | None = None) -> Any:
    """A value or mixture as the command line has it.

    ``reverb`` is that value, ``dry=0.3,reverb=0.7`` a mixture of them, and a number such as ``0.7``
    the share of the second of two values.

    Parameters
    ----------
    label : str
    text : str
    values : sequence, optional
        The vocabulary; without it a number is not understood.

    Raises
    ------
    ReverbSynthError
        For text that is none of these.
    """
    if "=" not in text:
        share = _number(text)
        if share is None or values is None or text in values:
            return text
        if len(values) != 2:
            names = ", ".join(map(str, values))
            raise ReverbSynthError(
                f"{label}: found {text}, expected a value or value=weight,… of {names}"
            )
        if not 0 <= share <= 1:
            raise ReverbSynthError(
                f"{label}: found {text}, expected 0 ({values[0]}) to 1 ({values[1]})"
            )
        return mix_labels(*values, share)
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        weight = _number(number)
        if not name or weight is None or name in weights:
            raise ReverbSynthError(
                f"{label}: found {text}, expected value=weight,… with each value once"
            )
        weights[name] = weight
    return weights


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _place(label: str, value: Any, values: Sequence) -> int:
    if isinstance(value, Mapping) or value not in values:
        known = f"{values[0]} to {values[-1]}" if label == "pitch" else ", ".join(map(str, values))
        raise ReverbSynthError(f"{label}: found {value}, expected one of {known}")
    return values.index(value)
