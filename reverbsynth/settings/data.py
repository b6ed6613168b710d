"""Where notes come from and what is done to them: the settings that make a data set."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from reverbsynth.settings.types import Fraction, Frozen, Pitch, Positive, Velocity


class _Pitched(Frozen):
    pitches: tuple[Pitch, Pitch] | None = Field(None, description="lowest and highest MIDI pitch")

    @field_validator("pitches")
    @classmethod
    def _ascending(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and value[0] > value[1]:
            raise ValueError("expected the lowest pitch first, then the highest")
        return value


class SoundFontSource(_Pitched):
    """Notes rendered from a General MIDI SoundFont."""

    kind: Literal["soundfont"] = "soundfont"
    path: Path | None = Field(None, description="an .sf2 file; unset: the one pretty_midi installs")
    programs: tuple[Annotated[int, Field(ge=1, le=128)], ...] = Field(
        (33, 34, 35, 36), min_length=1, description="General MIDI programs, counted from 1"
    )
    bank: Annotated[int, Field(ge=0, le=127)] = Field(0, description="the SoundFont's bank")
    pitches: tuple[Pitch, Pitch] | None = Field(
        (28, 77), description="lowest and highest MIDI pitch"
    )
    velocities: tuple[Velocity, ...] = Field(
        (25, 50, 75, 100, 127),
        min_length=1,
        description="one is drawn for each note (NSynth's five)",
    )
    every_velocity: bool = Field(False, description="all velocities of each note, none drawn")


class NSynthSource(_Pitched):
    """Notes of NSynth, in any of its published forms."""

    kind: Literal["nsynth"] = "nsynth"
    path: Path | None = Field(None, description="unpacked split, .tar.gz, TFRecord or TFDS folder")
    split: Literal["train", "valid", "test"] | None = Field(
        "train", description="NSynth's own split, where the path holds several; null: all"
    )
    family: str | None = Field("bass", description="instrument family; null: all")
    source: str | None = Field(
        "acoustic", description="acoustic, electronic or synthetic; null: all"
    )
    velocities: tuple[Velocity, ...] | None = Field(
        None, description="velocities to keep; null: all"
    )
    qualities: tuple[str, ...] = Field((), description="qualities a note must all have")
    count: Positive | None = Field(None, description="draw at most so many, by the seed")


class FolderSource(_Pitched):
    """Any folder of sound files."""

    kind: Literal["folder"] = "folder"
    path: Path | None = Field(None, description="the folder")
    table: Path | None = Field(None, description="CSV or JSON; unset: the only one in the folder")
    pitch_from: Literal["auto", "table", "name", "estimate"] = Field(
        "auto", description="where a note's pitch is read; auto: the first that has one"
    )
    confidence: Fraction = Field(0.5, description="least confidence of an estimated pitch")
    count: Positive | None = Field(None, description="draw at most so many, by the seed")


class EffectSettings(Frozen):
    """One form of processing; every note of the source gets a twin of each."""

    kind: str = Field(description="which effect")
    name: str | None = Field(None, description="the label; unset: the kind")
    parameters: dict[str, Any] = Field({}, description="what the effect itself takes")

    @property
    def label(self) -> str:
        return self.name or self.kind


class DataSettings(Frozen):
    """Where notes come from and what is done to them."""

    source: Annotated[
        SoundFontSource | NSynthSource | FolderSource, Field(discriminator="kind")
    ] = SoundFontSource()
    effects: tuple[EffectSettings, ...] = Field(
        (EffectSettings(kind="dry"), EffectSettings(kind="reverb")), min_length=1
    )
    remove_offset: bool = Field(
        default=False,
        description="whether what lies below 20 Hz, such as a constant offset of recorded notes, "
        "is removed before the effects (paper: no)",
    )
    split: tuple[Fraction, Fraction, Fraction] = Field(
        (0.8, 0.1, 0.1), description="shares of train, valid and test (paper: 80/10/10)"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "DataSettings":
        if abs(sum(self.split) - 1) > 1e-9:
            raise ValueError(f"split: found a sum of {sum(self.split):g}, expected 1")
        labels = [effect.label for effect in self.effects]
        if len(set(labels)) < len(labels):
            raise ValueError(f"effects: found names {labels}, expected each once")
        return self
