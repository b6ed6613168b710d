"""The three kinds of notes that every measure is taken of, with what is measured once for all."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from reverbsynth.audio.pitch import cents
from reverbsynth.audio.spectrum import mel_levels, treble
from reverbsynth.audio.tails import Tails, measure_tails
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.classifier import LabelClassifier, Predictions
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.grid import Grid
from reverbsynth.evaluation.metrics.distribution import Bins, bin_count
from reverbsynth.settings import EvaluationSettings


class NoteSet:
    """Notes of one kind. All but `asked` and `usable` is of those that are a sound at all.

    Attributes
    ----------
    name
        ``real``, ``ceiling`` or ``generated``.
    asked : Clips
        Every note.
    usable : ndarray [shape=(n,)]
        Which notes are neither silent nor hold NaN.
    clips : Clips
        Those.
    missing_reason
        What is wrong with most of the others.
    grid : Grid
        Notes of a grid of timbres and pitches.
    """

    def __init__(
        self,
        name: str,
        asked: Clips,
        grid: Grid,
        listeners: dict[str, LabelClassifier],
        straightness: float,
    ):
        self.name, self.asked, self.grid = name, asked, grid
        self.usable = asked.flaws == ""
        self.clips = asked.where(self.usable)
        self.missing_reason = asked.missing_reason
        self._listeners, self._straightness = listeners, straightness

    def __len__(self) -> int:
        return len(self.clips)

    @cached_property
    def tails(self) -> Tails:
        return measure_tails(self.clips.waves, self._straightness)

    @cached_property
    def levels(self) -> np.ndarray:
        return mel_levels(self.clips.waves)

    @cached_property
    def cents(self) -> np.ndarray:
        return cents(self.clips.waves, self.clips.pitch)

    @cached_property
    def treble(self) -> np.ndarray:
        return np.array([treble(wave) for wave in self.clips.waves])

    @cached_property
    def pitch(self) -> Predictions | None:
        """What the listener for pitch hears; None where there is none."""
        return self._heard("pitch", self.clips)

    @cached_property
    def effect(self) -> Predictions | None:
        return self._heard("effect", self.clips)

    @cached_property
    def grid_pitch(self) -> Predictions | None:
        return self._heard("pitch", self.grid.clips)

    @property
    def effects(self) -> np.ndarray:
        """The effect of each note: the one asked for, else the one that is heard."""
        if self.effect is None or (len(self.clips) and self.clips.effect[0] != ""):
            return self.clips.effect
        return self.effect.best

    def _heard(self, label: str, clips: Clips) -> Predictions | None:
        listener = self._listeners.get(label)
        return None if listener is None else listener.hear(clips.waves)


@dataclass(frozen=True)
class EvaluationData:
    """Everything that measures are taken from.

    Attributes
    ----------
    settings : EvaluationSettings
    bootstrap : Bootstrap
    training
        The training notes as they are: what others are compared with.
    real
        Held-out notes as they are.
    ceiling
        Held-out notes through an image at the stage's resolution.
    generated
    effects : list of str
    flipped
        Generated notes in every effect, all else being equal; None where the instrument cannot
        be asked for one.
    turned : dict
        Level of generated tails over the dial, by effect [shape=(notes, steps)].
    """

    settings: EvaluationSettings
    bootstrap: Bootstrap
    training: NoteSet
    real: NoteSet
    ceiling: NoteSet
    generated: NoteSet
    effects: list[str]
    flipped: NoteSet | None = None
    turned: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def subjects(self) -> tuple[NoteSet, NoteSet, NoteSet]:
        return self.real, self.ceiling, self.generated

    @property
    def wet(self) -> str | None:
        """The effect whose tail is judged: reverb, or else the first that is not dry."""
        others = [effect for effect in self.effects if effect != "dry"]
        return "reverb" if "reverb" in others else (others[0] if others else None)

    @property
    def matched(self) -> int:
        """How many notes of each kind go into measures that depend on their number."""
        sizes = [len(subject) for subject in self.subjects]
        enough = [size for size in sizes if size >= self.bootstrap.least]
        return min(enough, default=0)

    @cached_property
    def bins(self) -> Bins | None:
        """The bins of NDB, or None where there are too few notes for two of them."""
        count = bin_count(self.settings.bins, len(self.training), self.matched)
        if count < 2:
            return None
        return Bins(self.training.levels, count, self.bootstrap.seed)
