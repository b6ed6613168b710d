"""Values of a label, and mixtures of them: the dial between dry and wet.

In training, a network sees whole effects only: each is a one-hot vector. A mixture lies on the line
between two of them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reverbsynth.errors import SettingsError
from reverbsynth.gan.labels import LabelSpace


def values_of_notes(labels: LabelSpace, name: str, chosen: Any, count: int) -> Sequence[Any]:
    """A label's value or mixture for each of ``count`` notes; ``chosen`` may be one for all."""
    if isinstance(chosen, str | Mapping) or not isinstance(chosen, Sequence | np.ndarray):
        chosen = [chosen] * count
    if len(chosen) != count:
        raise SettingsError(f"{name}: found {len(chosen)} values, expected {count}")
    for value in chosen:
        for part in value if isinstance(value, Mapping) else [value]:
            labels.index(name, part)
        if isinstance(value, Mapping):
            _check_weights(name, value)
    return chosen


def _check_weights(name: str, weights: Mapping[Any, float]) -> None:
    for value, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float | np.number):
            raise SettingsError(f"{name}: weight of {value}: found {weight!r}, expected a number")
        if not weight >= 0:
            raise SettingsError(f"{name}: weight of {value}: found {weight:g}, expected 0 or more")
    total = math.fsum(weights.values())
    if not abs(total - 1) <= 1e-6:
        raise SettingsError(f"{name}: found weights that sum to {total:g}, expected 1")


def reference(values: Sequence) -> Any:
    """The effect without any of the others: dry, or else the first."""
    return "dry" if "dry" in values else values[0]


def mix_labels(first: Any, second: Any, share: float) -> dict | Any:
    """The mixture with ``share`` of the second value; a whole one is the value itself."""
    if share in (0, 1) or first == second:
        return second if share == 1 else first
    return {first: 1 - share, second: share}


def shown(value: Any) -> str:
    """A value or mixture as text: ``70 % reverb, 30 % dry``."""
    if not isinstance(value, Mapping):
        return str(value)
    parts = sorted(value.items(), key=lambda item: -item[1])
    return ", ".join(f"{100 * weight:.0f} % {name}" for name, weight in parts if weight >= 0.005)


def parse(label: str, text: str, values: Sequence) -> Any:
    """Read a value, a mixture (``dry=0.3,reverb=0.7``), or the second of two values' share."""
    known = {str(value): value for value in values}
    if text in known:
        return known[text]
    found = f"{label}: found {text}, expected"
    if "=" not in text:
        share = _number(text)
        if share is None:
            return text
        if len(values) != 2:
            raise SettingsError(f"{found} a value or value=weight,… of {', '.join(known)}")
        if not 0 <= share <= 1:
            raise SettingsError(f"{found} 0 ({values[0]}) to 1 ({values[1]})")
        first, second = values
        return mix_labels(first, second, share)
    weights: dict[Any, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        weight = _number(number)
        if not name or weight is None or known.get(name, name) in weights:
            raise SettingsError(f"{found} value=weight,… with each value once")
        weights[known.get(name, name)] = weight
    return weights


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
