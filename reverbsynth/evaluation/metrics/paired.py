"""The paired test: only the effect label changes, as between twins of the data set."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from scipy import stats

from reverbsynth.audio.tails import tail_ratio
from reverbsynth.data.dataset import DataSet
from reverbsynth.evaluation.bootstrap import TOO_FEW, Measure, NotMeasured
from reverbsynth.evaluation.clips import Clips, draw_labels
from reverbsynth.evaluation.metrics.base import NOT_ASKED, Metric, share
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.label_mixture import mix_labels, reference
from reverbsynth.seeds import generator

DIAL = np.linspace(0, 1, 11).round(6)  # shares of the effect


@dataclass(frozen=True)
class Twins:
    """Notes that are there in every effect; the first effect is what others are compared with."""

    note_set: NoteSet
    effects: list[str]

    @cached_property
    def rows(self) -> np.ndarray:
        """Indices of each note in every effect [shape=(notes, effects)]."""
        by_origin: defaultdict[str, dict[str, int]] = defaultdict(dict)
        clips = self.note_set.clips
        for row, (origin, effect) in enumerate(zip(clips.origin, clips.effect, strict=True)):
            by_origin[origin][effect] = row
        complete = [twins for twins in by_origin.values() if twins.keys() >= set(self.effects)]
        rows = [[twins[effect] for effect in self.effects] for twins in complete]
        return np.array(rows, int).reshape(-1, len(self.effects))

    def values(self, name: str, effect: str) -> np.ndarray:
        """Return a field of `Tails` of each note in an effect [shape=(notes,)]."""
        return getattr(self.note_set.tails, name)[self.rows[:, self.effects.index(effect)]]

    def change(self, name: str, effect: str) -> np.ndarray:
        """Return how much more of it there is in an effect than in the first [shape=(notes,)]."""
        return self.values(name, effect) - self.values(name, self.effects[0])

    def missing_reasons(self, name: str, effect: str) -> list[str]:
        """Return why each note has no change; empty where it has one."""
        reasons = np.full(len(self.rows), "", object)
        for one in (effect, self.effects[0]):
            unknown = ~np.isfinite(self.values(name, one))
            missing = self.note_set.tails.missing[name][self.rows[:, self.effects.index(one)]]
            reasons[unknown] = missing[unknown]
        return reasons.tolist()

    def crossfades(self, effect: str, count: int) -> np.ndarray:
        """Tail ratios of `count` notes, the first twin fading into another [shape=(notes, 11)]."""
        waves = self.note_set.clips.waves
        pairs = self.rows[:count, [0, self.effects.index(effect)]]
        ratios = [
            tail_ratio((1 - share) * waves[dry] + share * waves[wet])
            for dry, wet in pairs
            for share in DIAL
        ]
        return np.array(ratios, float).reshape(-1, len(DIAL))


class PairedMetrics:
    """Metrics of what the effect label does, all else being equal."""

    def __init__(self, data: EvaluationData):
        self.data = data
        self.effects = reference_first(data.effects)
        self.twins = {notes.name: Twins(notes, self.effects) for notes in (data.real, data.ceiling)}
        if data.effect_swapped is not None:
            self.twins["generated"] = Twins(data.effect_swapped, self.effects)

    def changes(self) -> Iterator[Metric]:
        """Measure the change of the tail by each effect, and whether the effect is recognized."""
        for effect in self.effects[1:]:
            for key, name, unit, function in (
                ("ratio", "change of the tail-to-sustain ratio", "dB", self._change),
                ("late", "change of the tail-to-sustain ratio from 3.2 s", "dB", self._change),
                ("t20", "change of T20", "s", self._change),
                ("louder", "pairs whose tail gets louder", "%", self._louder),
            ):
                title = f"{self.effects[0]} to {effect}: {name}"
                measure = partial(function, effect, key)
                yield Metric(f"paired.{key}.{effect}", title, unit, measure)
        if len(self.effects) > 1:
            yield Metric("paired.heard", "effect accuracy in pairs", "%", self._effect_accuracy)

    def dial(self) -> Iterator[Metric]:
        """Measure how the tail follows a mixture of two effects: medians over notes."""
        for effect in self.effects[1:]:
            for key, name, unit, function in (
                ("span", "span of the tail", "dB", span),
                ("monotone", "monotone (Spearman's rank correlation)", "", monotone),
                ("linear", "linear in dB (R²)", "", linear),
            ):
                title = f"{self.effects[0]} to {effect}: {name}"
                measure = partial(self._dial, effect, function)
                yield Metric(f"dial.{key}.{effect}", title, unit, measure)

    @cached_property
    def curves(self) -> dict[str, dict[str, np.ndarray]]:
        """By set and effect, tail-to-sustain ratios over the dial, a row for each note."""
        count, none, others = self.data.settings.sweep_notes, np.empty((0, 11)), self.effects[1:]
        levels = {
            name: {effect: self.twins[name].crossfades(effect, count) for effect in others}
            for name in ("real", "ceiling")
        }
        levels["generated"] = {e: self.data.sweep_levels.get(e, none) for e in others}
        return {
            name: {e: curve[np.isfinite(curve).all(axis=1)].round(3) for e, curve in of_set.items()}
            for name, of_set in levels.items()
        }

    def values(self) -> dict[str, dict]:
        """Return, by set, effect and measure, each note's value, in one order for all effects."""
        return {
            name: {
                effect: {field: twins.values(field, effect).round(4) for field in ("ratio", "t20")}
                for effect in self.effects
            }
            for name, twins in self.twins.items()
        }

    def _twins(self, notes: NoteSet) -> Twins:
        if notes.name not in self.twins:
            raise NotMeasured(NOT_ASKED)
        return self.twins[notes.name]

    def _change(self, effect: str, field: str, notes: NoteSet) -> Measure:
        twins = self._twins(notes)
        reasons = twins.missing_reasons(field, effect) or [twins.note_set.missing_reason]
        return self.data.bootstrap.median(twins.change(field, effect), reasons)

    def _louder(self, effect: str, _: str, notes: NoteSet) -> Measure:
        change = self._twins(notes).change("ratio", effect)
        return self.data.bootstrap.proportion(change[np.isfinite(change)] > 0)

    def _effect_accuracy(self, notes: NoteSet) -> Measure:
        swapped = self._twins(notes).note_set
        return share(self.data, swapped, swapped.effect.best == swapped.clips.effect)

    def _dial(self, effect: str, function: Callable, notes: NoteSet) -> Measure:
        twins, curves = self._twins(notes), self.curves[notes.name][effect]
        if not len(curves):
            raise NotMeasured(twins.note_set.missing_reason or TOO_FEW)
        return self.data.bootstrap.median(np.array([function(curve) for curve in curves]))


def reference_first(effects: Sequence[str]) -> list[str]:
    """Return effects with the one that others are compared with first: dry, if it is there."""
    first = reference(effects)
    return [first, *(effect for effect in effects if effect != first)]


def span(curve: np.ndarray) -> float:
    """Return how far a curve over the dial goes from one end to the other."""
    return float(curve[-1] - curve[0])


def monotone(curve: np.ndarray) -> float:
    """Return Spearman's rank correlation of a curve with the dial; NaN for a constant one."""
    return float(stats.spearmanr(DIAL, curve).statistic) if np.ptp(curve) > 0 else np.nan


def linear(curve: np.ndarray) -> float:
    """Return R² of the line through a curve over the dial; NaN for a constant one."""
    return float(np.corrcoef(DIAL, curve)[0, 1] ** 2) if np.ptp(curve) > 0 else np.nan


def effect_swapped_notes(
    instrument: Instrument, data: DataSet, count: int, seed: int
) -> Clips | None:
    """Generate notes in every shared effect, one latent vector and pitch for all twins, if any."""
    effects = shared_effects(instrument, data)
    if not effects:
        return None
    pitches, z, labels = _drawn(instrument, data, count, seed)
    in_effects = [{**labels, "effect": [effect] * count} for effect in effects]
    return Clips.joined([Clips.played(instrument, pitches, each, z=z) for each in in_effects])


def effect_sweep_levels(
    instrument: Instrument, data: DataSet, count: int, seed: int
) -> dict[str, np.ndarray]:
    """Measure generated tails over the dial: ratios in dB by effect [shape=(count, 11)]."""
    effects = shared_effects(instrument, data)
    pitches, z, labels = _drawn(instrument, data, count, seed)

    def ratios(mixed: Any) -> list[float]:
        waves = instrument.notes(pitches, z=z, **{**labels, "effect": [mixed] * count})
        return [tail_ratio(wave) if np.isfinite(wave).all() else np.nan for wave in waves]

    return {
        effect: np.transpose([ratios(mix_labels(effects[0], effect, share)) for share in DIAL])
        for effect in effects[1:]
    }


def shared_effects(instrument: Instrument, data: DataSet) -> list[str]:
    """Return the data set's effects that an instrument knows; none if they are fewer than two."""
    known = instrument.labels.get("effect", ())
    shared = [str(effect) for effect in data.vocabulary("effect") if effect in known]
    return reference_first(shared) if len(shared) > 1 else []


def _drawn(instrument: Instrument, data: DataSet, count: int, seed: int) -> tuple:
    """Draw pitches, latent vectors and the other labels."""
    rng = generator(seed, "evaluation", "pairs")
    labels = draw_labels(instrument, data, count, rng)
    z = rng.standard_normal((count, instrument.gan.latent_size), np.float32)
    return labels.pop("pitch"), z, labels
