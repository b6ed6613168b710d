"""Nested mappings, such as settings: put on top of each other, compared, and made flat."""

from collections.abc import Mapping
from typing import Any

from reverbsynth.errors import ReverbSynthError


def nested(overrides: Mapping[str, Any]) -> dict:
    """Dotted keys as nested mappings.

    Raises
    ------
    ReverbSynthError
        For a key below one that also has a plain value, or one that is no text.
    """
    return _nested(overrides, "")


def _nested(overrides: Mapping[str, Any], prefix: str) -> dict:
    found: dict[str, Any] = {}
    for key, value in overrides.items():
        if not isinstance(key, str):
            raise ReverbSynthError(f"setting {prefix}{key}: found a key {key!r}, expected a name")
        if isinstance(value, Mapping):
            value = _nested(value, f"{prefix}{key}.")
        *parents, last = key.split(".")
        target = found
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise ReverbSynthError(f"setting {key}: {parent} was also given a plain value")
        if isinstance(value, dict) and isinstance(target.get(last), dict):
            value = merged(target[last], value)
        target[last] = value
    return found


def merged(base: Mapping, top: Mapping) -> dict:
    """``top`` over ``base``; a mapping of another ``kind`` replaces, since its keys differ."""
    if "kind" in top and top["kind"] != base.get("kind", top["kind"]):
        return dict(top)
    found = dict(base)
    for key, value in top.items():
        below = found.get(key)
        found[key] = (
            merged(below, value)
            if isinstance(value, Mapping) and isinstance(below, Mapping)
            else value
        )
    return found


def non_default_values(values: Mapping, defaults: Mapping) -> dict:
    """What of nested values is not as in the defaults."""
    found = {}
    for key, value in values.items():
        default = defaults.get(key)
        if value == default:
            continue
        both = isinstance(value, Mapping) and isinstance(default, Mapping)
        found[key] = non_default_values(value, default) if both else value
    return found


def flat(values: Mapping, prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted key."""
    found = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        found.update(flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value})
    return found
