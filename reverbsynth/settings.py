"""The settings tree: typed, validated and frozen. Its defaults are the paper's.

A preset is a YAML file that states only what differs from its ``base`` (another preset, or these
defaults where it names none); overrides go on top. Nothing else in the package holds a knob.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from reverbsynth.data_settings import (
    DataSettings,
    FolderSource,
    Fraction,
    Frozen,
    NSynthSource,
    Positive,
    SoundFontSource,
)
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation_settings import EvaluationSettings
from reverbsynth.nested import departing, flat, merged, nested

SAMPLE_RATE = 16_000
"""Samples per second (paper, section on data; NSynth)."""

NOTE_LENGTH = 64_000
"""Samples in a note: 4 s."""

NOTE_OFF = 3.0
"""Seconds from a note's start to its release (NSynth); the tail follows."""

PRESETS = Path(__file__).parent / "presets"

_NOT_YAML = (yaml.YAMLError, ValueError, RecursionError)
"""What the parser raises: also for dates that no calendar has, and nesting without an end."""

Label = Literal["pitch", "effect", "instrument"]


class SpectraSettings(Frozen):
    """The image a note becomes (Table 5, ``data_type``)."""

    representation: Literal["mel", "linear", "phase"] = Field(
        "mel", description="IF on a mel scale, IF on a linear scale, or the bare phase"
    )
    scale: tuple[float, float] = Field(
        (0.0661371661726, 0.8), description="a of x*a + b, for magnitude and IF"
    )
    shift: tuple[float, float] = Field((0.113718730221, 0.0), description="b of x*a + b")


class GanSettings(Frozen):
    """The two networks (Tables 3 and 4)."""

    labels: tuple[Label, ...] = Field(
        ("pitch",), min_length=1, description="what the generator is told and the critic names"
    )
    latent_size: Positive = Field(256, description="numbers of a latent vector")
    filters_base: Positive = Field(4096, description="f(k) = min(base / 2^k, max)")
    filters_max: Positive = Field(256, description="most filters of a block")
    kernel_size: Positive = Field(3, description="side of the convolutions' kernels, odd")

    @field_validator("labels")
    @classmethod
    def _unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("expected each label once")
        return value

    @field_validator("kernel_size")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("expected an odd number")
        return value


class LossSettings(Frozen):
    """Weights of the loss terms (Table 5 and GANSynth's configuration), and departures."""

    gradient_penalty: Annotated[float, Field(ge=0)] = Field(
        10.0, description="weight of (slope - 1)²"
    )
    penalty_image: Literal["full_size", "native"] = Field(
        "full_size",
        description="image by which the slope is taken: de-normalized at 128 x 1024 (the paper), "
        "or normalized at the stage's own resolution",
    )
    penalty_every: Positive = Field(
        1, description="steps from one penalty to the next; its weight is multiplied by as many"
    )
    real_score: Annotated[float, Field(ge=0)] = Field(
        0.001, description="weight of the squared score of real images"
    )
    generator_label: Annotated[float, Field(ge=0)] = Field(
        10.0, description="weight of the labels of generated images (AC loss)"
    )
    discriminator_label: Annotated[float, Field(ge=0)] = Field(
        10.0, description="weight of the labels of real images (AC loss)"
    )
    label_weights: dict[Label, Annotated[float, Field(ge=0)]] = Field(
        {}, description="factors of the two above by label; 1 for a label that is not named"
    )
    consistency: Annotated[float, Field(ge=0)] = Field(0.0, description="Griffin-Lim consistency")
    nearest: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="distance of each real image to the nearest of a few generated ones with its "
        "labels (implicit maximum likelihood)",
    )
    nearest_draws: Positive = Field(4, description="how many are generated to choose from")


class AugmentationSettings(Frozen):
    """Changes to every image the critic sees, real and generated alike; none in the paper.

    Karras et al., "Training Generative Adversarial Networks with Limited Data" (2020): a critic
    that learns a few hundred images by heart is of no use to the generator.
    """

    gain: Annotated[float, Field(ge=0)] = Field(
        0.0, description="decibels by which an image is made louder or softer at most"
    )
    shift: Fraction = Field(
        0.0, description="share of its length by which an image is moved in time at most"
    )
    strength: Fraction = Field(
        1.0, description="probability of each change; with a target, that at the start"
    )
    target: Fraction | None = Field(
        None,
        description="overfitting at which the strength is held, between 0 (held-out images are "
        "scored like those trained on) and 1 (like generated ones); null: the strength stays",
    )
    images: Positive = Field(
        500_000, description="images in which the strength can go from 0 to 1 for a target"
    )
    every: Positive = Field(4, description="steps from one measurement of overfitting to the next")

    @property
    def active(self) -> bool:
        """Whether any image is changed."""
        return self.gain > 0 or self.shift > 0

    @model_validator(mode="after")
    def _something_to_adapt(self) -> "AugmentationSettings":
        if self.target is not None and not self.active:
            raise ValueError(f"target: found {self.target:g}, expected a gain or a shift with it")
        return self


class OptimizerSettings(Frozen):
    """Adam (Table 5) and the moving average of the generator."""

    generator_rate: Annotated[float, Field(gt=0)] = Field(8e-4, description="learning rate")
    discriminator_rate: Annotated[float, Field(gt=0)] = Field(8e-4, description="learning rate")
    beta_1: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="decay of the gradient")
    beta_2: Annotated[float, Field(ge=0, lt=1)] = Field(0.99, description="decay of its square")
    epsilon: Annotated[float, Field(gt=0)] = Field(1e-8, description="as TensorFlow 1 adds it")
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.999, description="of the moving average of the generator's weights"
    )


class TrainingSettings(Frozen):
    """The progressive schedule, in images (Table 5 as the paper's figures show it).

    With ``stage_minutes`` a stage lasts so long instead, however many images that is. Two such
    runs never see the same number of images: only a schedule in images gives the same training
    for the same seed.
    """

    stable_images: Positive = Field(800_000, description="images of each even stage")
    transition_images: Positive = Field(800_000, description="images of each odd stage")
    total_images: Positive = Field(11_000_000, description="where training ends at the latest")
    last_stage: Annotated[int, Field(ge=0, le=12)] = Field(8, description="the last to train")
    stage_minutes: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(
        None, description="minutes of training of each stage, 0 to last_stage; null: by images"
    )
    batch: Annotated[int, Field(ge=2)] = Field(64, description="images of a step")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of the convolutions; weights and losses are float32"
    )
    checkpoint_minutes: Annotated[float, Field(gt=0)] = Field(
        10.0, description="minutes from one checkpoint to the next"
    )
    samples: Positive = Field(16, description="notes kept of each stage, real and generated")
    consistency_every: Positive = Field(
        100, description="steps between two measurements of Griffin-Lim consistency"
    )

    @model_validator(mode="after")
    def _a_time_for_every_stage(self) -> "TrainingSettings":
        minutes, expected = self.stage_minutes, self.last_stage + 1
        if minutes is not None and len(minutes) != expected:
            raise ValueError(
                f"stage_minutes: found {len(minutes)} values, expected {expected}, one for each "
                f"stage up to last_stage {self.last_stage}"
            )
        return self


class Settings(Frozen):
    """Everything that decides a run, and how it is judged."""

    name: str = Field("paper", description="of the preset; decides nothing")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        0, description="of every random draw: the same seed gives the same data and run"
    )
    data: DataSettings = DataSettings()
    spectra: SpectraSettings = SpectraSettings()
    gan: GanSettings = GanSettings()
    losses: LossSettings = LossSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @classmethod
    def preset(cls, name: str, **overrides: Any) -> "Settings":
        """A shipped preset with overrides, nested or by dotted key.

        >>> Settings.preset("tiny", **{"training.batch": 4}, seed=7).training.batch
        4

        Raises
        ------
        ReverbSynthError
            For an unknown preset or setting, or a value out of range.
        """
        return cls._build(_preset_values(name), overrides, origin=f"preset {name}")

    @classmethod
    def load(cls, path: Path | str, **overrides: Any) -> "Settings":
        """Settings from a YAML file, which may name the preset it starts from as ``base``."""
        path = Path(path)
        return cls._build(_file_values(path), overrides, origin=str(path))

    def replace(self, **overrides: Any) -> "Settings":
        """These settings with overrides, nested or by dotted key."""
        return self._build(self.model_dump(mode="json"), overrides, origin="settings")

    def to_yaml(self) -> str:
        """Every setting, as YAML that `load` reads back to the same settings."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name what is trained: all but ``name``, ``evaluation``.

        Only what is not the default counts, so that a setting that a later version adds leaves
        the name, and the runs that have it, as they are.
        """
        values = self.departing()
        return settings_hash({k: v for k, v in values.items() if k not in ("name", "evaluation")})

    def departing(self) -> dict[str, Any]:
        """The settings that are not the paper's, nested; the source's kind always."""
        same_kind = DataSettings(source=type(self.data.source)())
        defaults = Settings(data=same_kind).model_dump(mode="json")
        values = departing(self.model_dump(mode="json"), defaults)
        values.setdefault("data", {}).setdefault("source", {})["kind"] = self.data.source.kind
        return values

    @classmethod
    def _build(cls, values: dict, overrides: Mapping[str, Any], origin: str) -> "Settings":
        # From the defaults up, so that one field of a source can be set without naming its kind.
        values = merged(cls().model_dump(mode="json"), values)
        values = merged(values, nested(overrides))
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ReverbSynthError(_one_line(error, origin)) from None


def differences(one: Settings, other: Settings) -> dict[str, tuple[Any, Any]]:
    """Both values of each setting that two settings, and what they train, do not agree in."""
    first, second = (flat(settings.model_dump(mode="json")) for settings in (one, other))
    return {
        name: (first.get(name), second.get(name))
        for name in first | second
        if first.get(name) != second.get(name)
        and name.partition(".")[0] not in ("name", "evaluation")
    }


def presets() -> tuple[str, ...]:
    """Names of the shipped presets."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def settings_hash(values: Any) -> str:
    """Twelve hexadecimal digits of the SHA-256 of ``values`` as canonical JSON."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parse_overrides(assignments: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """``["training.batch=4"]`` as ``{"training.batch": 4}``; values are YAML."""
    overrides = {}
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator or not key.strip():
            raise ReverbSynthError(f"--set {assignment}: expected dotted.key=value")
        try:
            overrides[key.strip()] = yaml.safe_load(text)
        except _NOT_YAML:
            raise ReverbSynthError(f"--set {assignment}: the value is not valid YAML") from None
    return overrides


def _preset_values(name: str) -> dict:
    if name not in presets():
        close = difflib.get_close_matches(name, presets(), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ReverbSynthError(
            f"preset {name!r}: no such preset, expected one of {', '.join(presets())}{hint}"
        )
    return {**_file_values(PRESETS / f"{name}.yaml"), "name": name}


def _file_values(path: Path, seen: tuple[Path, ...] = ()) -> dict:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReverbSynthError(f"{path}: cannot be read ({error.strerror})") from None
    except _NOT_YAML as error:
        reason = " ".join(str(error).split())
        raise ReverbSynthError(f"{path}: not valid YAML ({reason})") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ReverbSynthError(f"{path}: found {type(values).__name__}, expected a mapping")
    base = values.pop("base", None)
    return values if base is None else merged(_preset_values(str(base)), values)


def _one_line(error: ValidationError, origin: str) -> str:
    """The first of a validation's errors as setting, value found and value expected."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"] if part not in ("soundfont", "nsynth", "folder")]
    setting = ".".join(path) or "settings"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(path[-1], _field_names(path[:-1]), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"{origin}: setting {setting}: no such setting{hint}{more}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error" and isinstance(first["input"], dict):
        return f"{origin}: setting {setting}.{message}{more}"
    message = message.replace("Input should be", "expected").replace(
        "Field required", "expected a value"
    )
    return f"{origin}: setting {setting}: found {first['input']!r}, {message}{more}"


def _field_names(path: list[str]) -> list[str]:
    model: Any = Settings
    for part in path:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if field is None:
            return [
                *SoundFontSource.model_fields,
                *NSynthSource.model_fields,
                *FolderSource.model_fields,
            ]
        model = field.annotation
    return list(getattr(model, "model_fields", None) or NSynthSource.model_fields)
