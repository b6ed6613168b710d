"""Nested mappings, such as settings: merged, compared, and made flat."""

from collections.abc import Mapping
from typing import Any

from reverbsynth.errors import SettingsError


def nested(overrides: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys as nested mappings.

    >>> nested({"training.batch": 4, "training": {"samples": 2}})
    {'training': {'batch': 4, 'samples': 2}}
    """
    result: dict[str, Any] = {}
    for key, value in overrides.items():
        if not isinstance(key, str):
            raise SettingsError(f"setting {prefix}{key}: found a key {key!r}, expected a name")
        if isinstance(value, Mapping):
            value = nested(value, f"{prefix}{key}.")
        *parents, last = key.split(".")
        target = result
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise SettingsError(f"setting {key}: {parent} was also given a plain value")
        if isinstance(value, dict) and isinstance(target.get(last), dict):
            value = merged(target[last], value)
        target[last] = value
    return result


def merged(base: Mapping, top: Mapping) -> dict[str, Any]:
    """``top`` over ``base``; a mapping of another ``kind`` replaces, since its keys differ."""
    if "kind" in top and top["kind"] != base.get("kind", top["kind"]):
        return dict(top)
    result = dict(base)
    for key, value in top.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def non_default_values(values: Mapping, defaults: Mapping) -> dict[str, Any]:
    """The part of nested values that differs from nested defaults."""
    result = {}
    for key, value in values.items():
        default = defaults.get(key)
        if isinstance(value, Mapping) and isinstance(default, Mapping) and value != default:
            result[key] = non_default_values(value, default)
        elif value != default:
            result[key] = value
    return result


def flat(values: Mapping, prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted key: the reverse of `nested`."""
    result = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        result.update(flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value})
    return result
