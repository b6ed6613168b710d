"""The paired test: the same latent vector and pitch, with only the effect label changed.

Twins of the data set are the reference: the same source note with and without an effect. The dial
goes from one twin to the other; the reference is then what a mixing desk does, a crossfade.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import stats

from reverbsynth.audio.tails import tail_ratio
from reverbsynth.data.dataset import DataSet
from reverbsynth.evaluation.bootstrap import TOO_FEW, Measure
from reverbsynth.evaluation.clips import Clips, playable
from reverbsynth.evaluation.metrics.base import NOT_ASKED, ONE_KIND, MetricFn, MetricGroup
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet
from reverbsynth.evaluation.report import Row
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.label_mixture import mix_labels, reference
from reverbsynth.seeds import generator

STEPS = 11
"""Places of the dial, both ends included."""

GROUP, DIAL = "Same note, other effect", "Dial"


@dataclass(frozen=True)
class Twins:
    """Notes that are there in every effect.

    Attributes
    ----------
    subject : Subject
    effects : list of str
        The first is what others are compared with.
    """

    subject: NoteSet
    effects: list[str]

    @cached_property
    def places(self) -> np.ndarray:
        """Where the subject has each note, by effect [shape=(notes, effects)]."""
        found: dict[str, dict[str, int]] = {}
        clips = self.subject.clips
        for place, (origin, effect) in enumerate(zip(clips.origin, clips.effect, strict=True)):
            found.setdefault(origin, {})[effect] = place
        rows = [
            [twins[effect] for effect in self.effects]
            for twins in found.values()
            if all(effect in twins for effect in self.effects)
        ]
        return np.array(rows, int).reshape(len(rows), len(self.effects))

    def values(self, name: str, effect: str) -> np.ndarray:
        """A measure of `Tails` of each note in an effect [shape=(notes,)]."""
        places = self.places[:, self.effects.index(effect)]
        return getattr(self.subject.tails, name)[places]

    def change(self, name: str, effect: str) -> np.ndarray:
        """How much more of a measure there is in an effect than in the first [shape=(notes,)]."""
        return self.values(name, effect) - self.values(name, self.effects[0])

    def missing_reasons(self, name: str, effect: str) -> list[str]:
        """Why a note has no change; empty where it has one."""
        found = np.full(len(self.places), "", object)
        for each in (effect, self.effects[0]):
            unknown = ~np.isfinite(self.values(name, each))
            found[unknown] = self.values(f"{name}_missing_reason", each)[unknown]
        return found.tolist()

    def crossfades(self, effect: str, count: int) -> np.ndarray:
        """Levels of the tail while the first twin fades into another [shape=(notes, STEPS)]."""
        waves, place = self.subject.clips.waves, self.effects.index(effect)
        rows = [
            [
                tail_ratio((1 - share) * waves[row[0]] + share * waves[row[place]])[0]
                for share in shares()
            ]
            for row in self.places[:count]
        ]
        return np.array(rows, float).reshape(len(rows), STEPS)


class PairedMetrics(MetricGroup):
    """What the effect label does, all else being equal."""

    def __init__(self, study: EvaluationData):
        super().__init__(study)
        self.effects = ordered(study.effects)
        self.twins = {
            subject.name: Twins(subject, self.effects) for subject in (study.real, study.ceiling)
        }
        if study.flipped is not None:
            self.twins["generated"] = Twins(study.flipped, self.effects)

    def changes(self) -> list[Row]:
        """Change of the tail by each effect, and whether the effect is heard."""
        if len(self.effects) < 2:
            return []
        base, rows = self.effects[0], []
        for effect in self.effects[1:]:
            entries = (
                ("ratio", "change of the tail-to-sustain ratio", "dB", self._change),
                ("t20", "change of T20", "s", self._change),
                ("louder", "pairs whose tail gets louder", "%", self._louder),
            )
            rows += self.rows(
                GROUP,
                *(
                    (f"paired.{key}.{effect}", f"{base} to {effect}: {name}", unit, of(key, effect))
                    for key, name, unit, of in entries
                ),
            )
        return [*rows, *self.rows(GROUP, ("paired.heard", "effect heard", "%", self._heard))]

    def dial(self) -> list[Row]:
        """How the level of the tail follows a mixture of two effects."""
        rows = []
        for effect in self.effects[1:]:
            name = f"{self.effects[0]} to {effect}: "
            rows += self.rows(
                DIAL,
                (f"dial.span.{effect}", f"{name}span of the tail", "dB", self._dial(effect, span)),
                (
                    f"dial.monotone.{effect}",
                    f"{name}monotone (Spearman's rank correlation)",
                    "",
                    self._dial(effect, monotone),
                ),
                (
                    f"dial.linear.{effect}",
                    f"{name}linear in dB (R²)",
                    "",
                    self._dial(effect, linear),
                ),
            )
        return rows

    def curves(self) -> dict[str, dict]:
        """By kind and effect, the tail's level over the dial, a row for each note."""
        return {
            subject.name: {effect: self._levels(subject, effect) for effect in self.effects[1:]}
            for subject in self.study.subjects
        }

    def values(self) -> dict[str, dict]:
        """By kind, effect and measure, the value of each note, in one order for all effects."""
        return {
            kind: {
                effect: {
                    name: np.asarray(twins.values(name, effect), float).round(4)
                    for name in ("ratio", "t20")
                }
                for effect in self.effects
            }
            for kind, twins in self.twins.items()
        }

    def _change(self, name: str, effect: str) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            twins = self.twins.get(subject.name)
            if twins is None:
                return Measure(missing_reason=NOT_ASKED)
            missing_reasons = twins.missing_reasons(name, effect)
            return self.bootstrap.median(
                twins.change(name, effect), missing_reasons or [twins.subject.missing_reason]
            )

        return take

    def _louder(self, _: str, effect: str) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            twins = self.twins.get(subject.name)
            if twins is None:
                return Measure(missing_reason=NOT_ASKED)
            change = twins.change("ratio", effect)
            return self.bootstrap.proportion(
                change[np.isfinite(change)] > 0, twins.subject.missing_reason
            )

        return take

    def _heard(self, subject: NoteSet) -> Measure:
        twins = self.twins.get(subject.name)
        if twins is None:
            return Measure(missing_reason=NOT_ASKED)
        of = twins.subject
        if of.effect is None:
            return Measure(missing_reason=ONE_KIND)
        return self.right(of, of.effect.best == of.clips.effect)

    def _levels(self, subject: NoteSet, effect: str) -> np.ndarray:
        if subject is self.study.generated:
            found = self.study.turned.get(effect, np.empty((0, STEPS)))
        else:
            found = self.twins[subject.name].crossfades(effect, self.study.settings.sweep_notes)
        return found[np.isfinite(found).all(axis=1)].round(3)

    def _dial(self, effect: str, function) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            if subject.name not in self.twins:
                return Measure(missing_reason=NOT_ASKED)
            curves = self._levels(subject, effect)
            if not len(curves):
                return Measure(
                    missing_reason=self.twins[subject.name].subject.missing_reason or TOO_FEW
                )
            return self.bootstrap.median(np.array([function(curve) for curve in curves]))

        return take


def shares() -> np.ndarray:
    """Places of the dial from 0 to 1 [shape=(STEPS,)]."""
    return np.linspace(0, 1, STEPS).round(6)


def ordered(effects: list[str]) -> list[str]:
    """Effects with the one that others are compared with first."""
    first = reference(effects)
    return [first, *(effect for effect in effects if effect != first)]


def span(curve: np.ndarray) -> float:
    """How far a curve [shape=(STEPS,)] goes from its one end to the other."""
    return float(curve[-1] - curve[0])


def monotone(curve: np.ndarray) -> float:
    """Spearman's rank correlation of a curve with the dial; NaN for one that stands still."""
    return float(stats.spearmanr(shares(), curve).statistic) if np.ptp(curve) > 0 else np.nan


def linear(curve: np.ndarray) -> float:
    """R² of the line through a curve; NaN for one that stands still."""
    return float(np.corrcoef(shares(), curve)[0, 1] ** 2) if np.ptp(curve) > 0 else np.nan


def effect_swapped_notes(
    instrument: Instrument, data: DataSet, count: int, seed: int
) -> Clips | None:
    """Notes of an instrument in every effect, with one latent vector and pitch for all twins.

    Returns
    -------
    Clips or None
        None for an instrument that cannot be asked for an effect of the data set.
    """
    effects = _known(instrument, data)
    if len(effects) < 2:
        return None
    pitches, z, labels = _drawn(instrument, data, count, seed)
    parts = []
    for effect in effects:
        asked = {**labels, "effect": [effect] * count}
        parts.append(Clips.asked(instrument.notes(pitches, z=z, **asked), pitches, asked))
    names = parts[0].__dataclass_fields__
    whole = Clips(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    ids = [f"{origin}-{effect}" for origin, effect in zip(whole.origin, whole.effect, strict=True)]
    return replace(whole, id=np.array(ids, object))


def effect_sweep_levels(
    instrument: Instrument, data: DataSet, count: int, seed: int
) -> dict[str, np.ndarray]:
    """Level of generated tails over the dial, by effect [shape=(count, STEPS)]."""
    effects = _known(instrument, data)
    if len(effects) < 2:
        return {}
    pitches, z, labels = _drawn(instrument, data, count, seed)
    found = {}
    for effect in effects[1:]:
        levels = np.empty((count, STEPS))
        for step, share in enumerate(shares()):
            mixed = [mix_labels(effects[0], effect, float(share))] * count
            waves = instrument.notes(pitches, z=z, **{**labels, "effect": mixed})
            sounding = np.isfinite(waves).all(axis=1)
            levels[:, step] = [
                tail_ratio(wave)[0] if fine else np.nan
                for wave, fine in zip(waves, sounding, strict=True)
            ]
        found[effect] = levels
    return found


def _known(instrument: Instrument, data: DataSet) -> list[str]:
    known = instrument.labels.get("effect", [])
    return ordered([effect for effect in data.vocabulary("effect") if effect in known] or [""])


def _drawn(instrument: Instrument, data: DataSet, count: int, seed: int) -> tuple:
    rng = generator(seed, "evaluation", "pairs")
    rows = playable(instrument, data)
    drawn = [rows[place] for place in rng.integers(len(rows), size=count)]
    z = rng.standard_normal((count, instrument.gan.latent_size), np.float32)
    labels = {name: [row[name] for row in drawn] for name in instrument.labels}
    return labels.pop("pitch"), z, labels
