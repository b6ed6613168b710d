"""The sets of notes that every metric is taken of, with what is measured once for all metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from reverbsynth.audio.pitch import cents
from reverbsynth.audio.spectrum import mel_levels, treble
from reverbsynth.audio.tails import Tails, measure_tails
from reverbsynth.evaluation.bootstrap import Bootstrap, NotMeasured
from reverbsynth.evaluation.classifier import LabelClassifier, Predictions
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.grid import Grid
from reverbsynth.evaluation.metrics.distribution import Bins, bin_count
from reverbsynth.seeds import generator
from reverbsynth.settings import EvaluationSettings


@dataclass(eq=False)
class NoteSet:
    """Notes of one kind, and what is measured of those that are ``usable``: no silence, no NaN.

    ``straightness`` is the least r² of a decay.
    """

    name: str
    all_clips: Clips
    grid: Grid
    classifiers: Mapping[str, LabelClassifier]
    straightness: float

    def __post_init__(self) -> None:
        self.usable = self.all_clips.flaws == ""
        self.clips = self.all_clips if self.usable.all() else self.all_clips.where(self.usable)
        self.missing_reason = self.all_clips.missing_reason

    def __len__(self) -> int:
        return len(self.clips)

    @cached_property
    def tails(self) -> Tails:
        return measure_tails(self.clips.waves, self.straightness)

    @cached_property
    def levels(self) -> np.ndarray:
        """Levels in mel bands, in dB [shape=(n, frames, bands)]."""
        return mel_levels(self.clips.waves)

    @cached_property
    def cents(self) -> np.ndarray:
        """Error of each note's estimated pitch [shape=(n,)]."""
        return cents(self.clips.waves, self.clips.pitch)

    @cached_property
    def treble(self) -> np.ndarray:
        """Energy above 4 kHz in dB of all energy [shape=(n,)]."""
        return np.array([treble(wave) for wave in self.clips.waves])

    @cached_property
    def pitch(self) -> Predictions:
        """Predicted pitches; `NotMeasured` where the data have one only."""
        return self._predict("pitch", self.clips)

    @cached_property
    def effect(self) -> Predictions:
        return self._predict("effect", self.clips)

    @cached_property
    def grid_pitch(self) -> Predictions:
        return self._predict("pitch", self.grid.clips)

    @property
    def effects(self) -> np.ndarray:
        """The effect of each note: the requested one, else the predicted one [shape=(n,)]."""
        if "effect" not in self.classifiers or (len(self) and self.clips.effect[0] != ""):
            return self.clips.effect
        return self.effect.best

    def _predict(self, label: str, clips: Clips) -> Predictions:
        if label not in self.classifiers:
            raise NotMeasured("one kind only")
        return self.classifiers[label].predict(clips.waves)


@dataclass(frozen=True)
class EvaluationData:
    """Everything that is measured: ``real`` notes are held out, ``ceiling`` the same as images.

    ``trained`` are some training notes as images.

    ``unrecorded`` are notes of keys without training notes: ``real``, ``ceiling``, ``generated``,
    and ``resampled``, a sampler's. The field ``resampled`` has these of keys with training notes.
    """

    settings: EvaluationSettings
    bootstrap: Bootstrap
    training: NoteSet
    real: NoteSet
    ceiling: NoteSet
    trained: NoteSet
    generated: NoteSet
    effects: list[str]
    effect_swapped: NoteSet | None = None
    sweep_levels: dict[str, np.ndarray] = field(default_factory=dict)
    unrecorded: dict[str, NoteSet] = field(default_factory=dict)
    resampled: NoteSet | None = None

    @property
    def note_sets(self) -> tuple[NoteSet, NoteSet, NoteSet]:
        """The sets that tables compare."""
        return self.real, self.ceiling, self.generated

    @property
    def wet(self) -> str | None:
        """The effect whose tail is judged: reverb, or else the first that is not dry."""
        others = [effect for effect in self.effects if effect != "dry"]
        return "reverb" if "reverb" in others else next(iter(others), None)

    @property
    def matched(self) -> int:
        """How many notes of each set go into metrics that depend on their number."""
        sizes = [len(note_set) for note_set in self.note_sets]
        return min((size for size in sizes if size >= self.bootstrap.least), default=0)

    def draw(self, notes: NoteSet) -> np.ndarray:
        """Draw as many notes of a set as every set has, by the seed: their indices."""
        rng = generator(self.bootstrap.seed, "evaluation", "matched", notes.name)
        return rng.permutation(len(notes))[: self.matched]

    @cached_property
    def bins(self) -> Bins | None:
        """The bins of NDB, or None where there are too few notes for two of them."""
        count = bin_count(self.settings.bins, len(self.training), self.matched)
        return Bins(self.training.levels, count, self.bootstrap.seed) if count > 1 else None
