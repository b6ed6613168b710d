"""The settings tree: typed, validated and frozen. Its defaults are the paper's.

A preset is a YAML file that states only what differs from its ``base`` (another preset, or these
defaults where it names none); overrides go on top. Nothing else in the package holds a knob.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, get_args

import yaml
from pydantic import BaseModel, ValidationError

from reverbsynth.errors import SettingsError, did_you_mean
from reverbsynth.files.reading import reading
from reverbsynth.settings.data import DataSettings
from reverbsynth.settings.evaluation import EvaluationSettings
from reverbsynth.settings.training import (
    GanSettings,
    LossSettings,
    OptimizerSettings,
    SpectraSettings,
    TrainingSettings,
)
from reverbsynth.settings.types import Frozen, Seed

PRESETS = Path(__file__).parent / "presets"

# What the YAML parser raises, also for impossible dates and nesting that is too deep.
_NOT_YAML = (yaml.YAMLError, ValueError, RecursionError)

# Either of them says how long stages are.
_STAGE_LENGTHS = ("stage_images", "stage_minutes")


class Settings(Frozen):
    """Everything that decides a run, and how it is evaluated."""

    name: str = "paper"
    """Name of the preset; it decides nothing."""
    seed: Seed = 0
    """Seed of every random draw: the same seed gives the same data and the same run. Those of a
    training have one of their own, ``training.seed``, where it is set."""
    data: DataSettings = DataSettings()
    spectra: SpectraSettings = SpectraSettings()
    gan: GanSettings = GanSettings()
    losses: LossSettings = LossSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @classmethod
    def preset(cls, name: str, /, **overrides: Any) -> Self:
        """A shipped preset with overrides, nested or by dotted key; a mistake is a `SettingsError`.

        >>> Settings.preset("tiny", **{"training.batch": 4}, seed=7).training.batch
        4
        """
        return cls._build(_preset_values(name), overrides, origin=f"preset {name}")

    @classmethod
    def load(cls, path: Path | str, /, **overrides: Any) -> Self:
        """Settings from a YAML file, which may name the preset it starts from as ``base``."""
        return cls._build(_file_values(Path(path)), overrides, origin=str(path))

    def replace(self, **overrides: Any) -> Self:
        """These settings with overrides, nested or by dotted key."""
        return self._build(self.model_dump(mode="json"), overrides, origin="settings")

    def to_yaml(self) -> str:
        """Every setting, as YAML that `load` reads back to the same settings."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)

    @property
    def training_seed(self) -> int:
        """Seed of all that a training draws."""
        return self.seed if self.training.seed is None else self.training.seed

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name what is trained: all but ``name``, ``evaluation``.

        Only values that are not the defaults count: a setting added later leaves old hashes alone.
        """
        values = self.non_default_values()
        return settings_hash({k: v for k, v in values.items() if k not in ("name", "evaluation")})

    def non_default_values(self) -> dict[str, Any]:
        """The settings that are not the paper's, nested; always with the kind of the source."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        data = values.setdefault("data", {})
        data.setdefault("source", {})["kind"] = self.data.source.kind
        if "effects" in data:  # An effect's own defaults count, as they always did in hashes.
            data["effects"] = [effect.model_dump(mode="json") for effect in self.data.effects]
        return values

    @classmethod
    def _build(cls, values: dict, overrides: Mapping[str, Any], origin: str) -> Self:
        # From the defaults up, so that one field of a source can be set without naming its kind.
        whole = merged(merged(cls().model_dump(mode="json"), values), nested(overrides))
        try:
            return cls.model_validate(whole)
        except ValidationError as error:
            raise SettingsError(one_line(error, origin, "setting", cls)) from None


def differences(one: Settings, other: Settings) -> dict[str, tuple[Any, Any]]:
    """Both values of each setting by dotted key in which two trainings differ."""
    untrained = {"name", "evaluation"}
    return changes(*(each.model_dump(mode="json", exclude=untrained) for each in (one, other)))


def changes(one: Mapping, other: Mapping) -> dict[str, tuple[Any, Any]]:
    """Both values of what differs in nested mappings, by dotted key."""
    first, second = flat(one), flat(other)
    pairs = {name: (first.get(name), second.get(name)) for name in first | second}
    return {name: (value, other) for name, (value, other) in pairs.items() if value != other}


def first_of(changed: Mapping[str, tuple[Any, Any]]) -> str:
    """The first of some `changes`, and how many more there are."""
    (name, (found, expected)), *more = changed.items()
    return f"{name}: found {found}, expected {expected}{f' (and {len(more)} more)' * bool(more)}"


def presets() -> tuple[str, ...]:
    """Names of the shipped presets."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def settings_hash(values: Any) -> str:
    """Twelve hexadecimal digits of the SHA-256 of ``values`` as canonical JSON."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parse_overrides(assignments: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """``["training.batch=4"]`` as ``{"training.batch": 4}``; values are YAML."""
    overrides: dict[str, Any] = {}
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator or not key.strip():
            raise SettingsError(f"--set {assignment}: expected dotted.key=value")
        try:
            overrides[key.strip()] = yaml.safe_load(text)
        except _NOT_YAML:
            raise SettingsError(f"--set {assignment}: the value is not valid YAML") from None
    return overrides


def one_line(error: ValidationError, origin: str, kind: str, model: type[BaseModel]) -> str:
    """The first problem of a validation by ``model``: field, value found and value expected.

    ``origin`` is where the values came from, ``kind`` what its fields are called.
    """
    first = error.errors()[0]
    path = [str(part) for part in first["loc"] if part not in ("soundfont", "nsynth", "folder")]
    field = f"{origin}: {kind} {'.'.join(path)}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        close = did_you_mean(path[-1], _field_names(path[:-1], model))
        return f"{field}: no such {kind}{close}{more}"
    if first["type"] == "missing":
        return f"{field}: missing, expected a value{more}"
    message = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if first["type"] == "value_error" and isinstance(first["input"], dict):
        return f"{field}{'.' if path else ''}{message}{more}"  # It begins with the field's name.
    return f"{field}: found {first['input']!r}, {message}{more}"


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
    """``top`` over ``base``; a mapping of another ``kind`` replaces, since its keys differ.

    So does a length of stages one of the other kind.
    """
    if "kind" in top and top["kind"] != base.get("kind", top["kind"]):
        return dict(top)
    named = any(top.get(name) is not None for name in _STAGE_LENGTHS)
    result = {**base, **dict.fromkeys(_STAGE_LENGTHS)} if named else dict(base)
    for key, value in top.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def flat(values: Mapping, prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted key: the reverse of `nested`."""
    result = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        result.update(flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value})
    return result


def _preset_values(name: str) -> dict:
    if name not in presets():
        known = f"{', '.join(presets())}{did_you_mean(name, presets())}"
        raise SettingsError(f"preset {name!r}: no such preset, expected one of {known}")
    return {**_file_values(PRESETS / f"{name}.yaml"), "name": name}


def _file_values(path: Path) -> dict[str, Any]:
    try:
        with reading(path, SettingsError):
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except _NOT_YAML as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"{path}: not valid YAML ({reason})") from None
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: found {type(values).__name__}, expected a mapping")
    base = values.pop("base", None)
    return values if base is None else merged(_preset_values(str(base)), values)


def _field_names(path: list[str], model: type[BaseModel]) -> list[str]:
    """Names of the fields at a path; those of every kind of source where it ends in one."""
    models: list[Any] = [model]
    for part in path:
        fields = [model.model_fields.get(part) for model in models]
        types = [field.annotation for field in fields if field]
        members = [member for type_ in types for member in (type_, *get_args(type_))]
        models = [member for member in members if hasattr(member, "model_fields")] or models
    return [name for model in models for name in model.model_fields]
