"""The settings that make a data set: where notes come from and which effects they get."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    PositiveInt,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from reverbsynth.settings.types import Fraction, Frozen, Pitch, Velocity

Program = Annotated[int, Field(ge=1, le=128)]
_Qualities = Literal["bright", "dark", "distortion", "fast_decay", "long_release", "multiphonic"]
Quality = Literal[_Qualities, "nonlinear_env", "percussive", "reverb", "tempo-synced"]


class _Pitched(Frozen):
    pitches: tuple[Pitch, Pitch] | None = None
    """Lowest and highest MIDI pitch; null: all."""

    @field_validator("pitches")
    @classmethod
    def _ascending(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and value[0] > value[1]:
            raise ValueError("expected the lowest pitch first, then the highest")
        return value


class SoundFontSource(_Pitched):
    """Notes rendered from a General MIDI SoundFont."""

    kind: Literal["soundfont"] = "soundfont"
    path: Path | None = None
    """The .sf2 file; null: the one that pretty_midi installs."""
    programs: Annotated[tuple[Program, ...], Field(min_length=1)] = (33, 34, 35, 36)
    """General MIDI programs, counted from 1."""
    bank: Annotated[int, Field(ge=0, le=127)] = 0
    """Bank of the SoundFont that holds the programs."""
    pitches: tuple[Pitch, Pitch] | None = (28, 77)
    """Lowest and highest MIDI pitch; null: all."""
    velocities: Annotated[tuple[Velocity, ...], Field(min_length=1)] = (25, 50, 75, 100, 127)
    """MIDI velocities from which each note's is drawn (default: NSynth's five)."""
    every_velocity: bool = False
    """Whether each note is rendered at all velocities instead."""


class NSynthSource(_Pitched):
    """Notes of NSynth, in any of its published forms."""

    kind: Literal["nsynth"] = "nsynth"
    path: Path | None = None
    """An unpacked split, a .tar.gz, a TFRecord or a TFDS folder."""
    split: Literal["train", "valid", "test"] | None = "train"
    """NSynth's own split, where the path holds several; null: all."""
    family: str | None = "bass"
    """Instrument family; null: all."""
    source: str | None = "acoustic"
    """Acoustic, electronic or synthetic; null: all."""
    velocities: tuple[Velocity, ...] | None = None
    """MIDI velocities to keep; null: all."""
    qualities: tuple[Quality, ...] = ()
    """Qualities that a note must have, all of them."""
    count: PositiveInt | None = None
    """Largest number of notes, drawn by the seed; null: all."""


class FolderSource(_Pitched):
    """Any folder of sound files."""

    kind: Literal["folder"] = "folder"
    path: Path | None = None
    """The folder."""
    table: Path | None = None
    """CSV or JSON table of the sounds; null: the folder's only one, if ``pitch_from`` may be it."""
    pitch_from: Literal["auto", "table", "name", "root_key", "estimate"] = "auto"
    """What tells the pitch: table, file name, smpl chunk or sound; auto: the first that does."""
    middle_c: Literal["C3", "C4", "C5"] = "C4"
    """What MIDI pitch 60 is called in names of files and in the table."""
    confidence: Fraction = 0.5
    """Smallest confidence at which an estimated pitch is accepted."""
    trim_onset: bool = False
    """Whether what comes before a sound's onset is cut off."""
    normalize: bool = False
    """Whether every sound is scaled to the same peak."""
    count: PositiveInt | None = None
    """Largest number of notes, drawn by the seed; null: all."""


class EffectSettings(Frozen):
    """One effect; every note of the source gets a twin with each."""

    kind: str
    """Kind of effect."""
    name: str | None = None
    """Name of the effect as a label; null: its kind, or those of a chain's effects."""
    parameters: dict[str, Any] = Field(default={})
    """Parameters of this kind of effect."""
    of: tuple["EffectSettings", ...] = ()
    """Effects that a chain applies one after another."""

    @property
    def label(self) -> str:
        """The name under which the effect is a label."""
        return self.name or "+".join(effect.label for effect in self.of) or self.kind

    @model_serializer(mode="wrap")
    def _without_empty_chain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Settings written before there were chains keep their hash."""
        values = handler(self)
        return values if self.of else {name: values[name] for name in values if name != "of"}


class DataSettings(Frozen):
    """Where notes come from, and what is done to them."""

    source: Annotated[
        SoundFontSource | NSynthSource | FolderSource, Field(discriminator="kind")
    ] = SoundFontSource()
    effects: Annotated[tuple[EffectSettings, ...], Field(min_length=1)] = (
        EffectSettings(kind="dry"),
        EffectSettings(kind="reverb"),
    )
    """Effects of which every note gets a twin each."""
    remove_offset: bool = False
    """Whether all below 20 Hz, such as an offset, is removed before the effects (paper: no)."""
    split: tuple[Fraction, Fraction, Fraction] = (0.8, 0.1, 0.1)
    """Shares of train, valid and test (paper: 80/10/10)."""
    train_every: PositiveInt = 1
    """Every n-th key, from the lowest, is trained; others go to valid and test (paper: 1)."""

    @model_validator(mode="after")
    def _consistent(self) -> "DataSettings":
        if abs(sum(self.split) - 1) > 1e-9:
            raise ValueError(f"split: found a sum of {sum(self.split):g}, expected 1")
        if self.train_every > 1 and not sum(self.split[1:]):
            found = f"train_every: found {self.train_every}, expected 1"
            raise ValueError(f"{found}, since split leaves no notes to valid and test")
        labels = [effect.label for effect in self.effects]
        if len(set(labels)) < len(labels):
            raise ValueError(f"effects: found names {labels}, expected each once")
        return self
