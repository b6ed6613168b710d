"""Sections of a report that measure each note by itself: reverb, pitch, spectrum."""

import numpy as np

from reverbsynth.audio import tails
from reverbsynth.audio.pitch import UNHEARD
from reverbsynth.audio.reverberation import OCTAVES
from reverbsynth.audio.spectrum import nearest_of_same_pitch
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.metrics import pitch
from reverbsynth.evaluation.metrics.base import NOT_ASKED, ONE_KIND, MetricFn, MetricGroup
from reverbsynth.evaluation.note_sets import NoteSet
from reverbsynth.evaluation.report import Row

_LONGEST = {
    "t20": tails.longest_measurable_decay(tails.T20),
    "edt": tails.longest_measurable_decay(tails.EDT),
}


class PerNoteMetrics(MetricGroup):
    """Measures of notes one by one."""

    def notes(self) -> list[Row]:
        """Whether there is anything to measure."""

        def usable(subject: NoteSet) -> Measure:
            return self.bootstrap.proportion(subject.usable)

        return self.rows("Notes", ("notes.usable", "neither silent nor NaN", "%", usable))

    def reverb(self) -> list[Row]:
        """Tails, by effect: the one asked for, or else the one that the listener hears."""
        rows = []
        for effect in self.study.effects:
            rows += self.rows(
                "Reverb",
                *(
                    (f"reverb.{key}.{effect}", f"{effect}: {name}", unit, take)
                    for key, name, unit, take in (
                        ("ratio", "tail-to-sustain ratio", "dB", self._median(effect, "ratio")),
                        ("decays", "tails that decay", "%", self._decays(effect)),
                        ("t20", "T20", "s", self._median(effect, "t20")),
                        ("r2", "r² of its line", "", self._median(effect, "r2", "t20")),
                        ("edt", "early decay time", "s", self._median(effect, "edt")),
                    )
                ),
            )
        away = "Wasserstein distance of {} to training notes"
        rows += self.rows(
            "Reverb",
            ("reverb.distance.ratio", away.format("ratios"), "dB", self._distance("ratio")),
            ("reverb.distance.t20", away.format("T20"), "s", self._distance("t20")),
            ("effect.accuracy", "effect heard", "%", self._effect_accuracy),
        )
        if wet := self.study.wet:
            name = f"notes heard as {wet}"
            rows.append(self.row("Reverb", "effect.share", name, "%", self._share(wet)))
        return rows

    def octaves(self) -> list[Row]:
        """T20 of each octave band, by effect."""
        return self.rows(
            "Reverb by octave",
            *(
                (
                    f"reverb.octave.{effect}.{center:g}",
                    f"{effect}: T20 around {center:g} Hz",
                    "s",
                    self._octave(effect, place),
                )
                for effect in self.study.effects
                for place, center in enumerate(OCTAVES)
            ),
        )

    def pitch(self) -> list[Row]:
        """Pitch, by the listener and by an estimator that knows nothing of it."""
        return self.rows(
            "Pitch",
            ("pitch.accuracy", "pitch accuracy", "%", self._pitch_accuracy),
            ("pitch.entropy", "pitch entropy", "nats", self._pitch_entropy),
            ("pitch.within", "estimate within 50 cents", "%", self._within),
            ("pitch.cents", "median error of the estimate", "cents", self._cents),
        )

    def spectrum(self) -> list[Row]:
        """Spectra against real ones."""

        def treble(subject: NoteSet) -> Measure:
            return self.bootstrap.median(subject.treble, [subject.missing_reason])

        def nearest(subject: NoteSet) -> Measure:
            return self.bootstrap.median(self.nearest_of_pitch(subject), [subject.missing_reason])

        name = "distance to the nearest training note of the pitch"
        return self.rows(
            "Spectrum",
            ("spectrum.treble", "energy above 4 kHz", "dB", treble),
            ("spectrum.nearest", name, "dB", nearest),
        )

    def nearest_of_pitch(self, subject: NoteSet) -> np.ndarray:
        """Log-spectral distance of each note to the nearest training note of its pitch, in dB."""
        training = self.study.training
        return nearest_of_same_pitch(
            subject.levels, subject.clips.pitch, training.levels, training.clips.pitch
        )

    def _median(self, effect: str, values: str, missing_reasons: str | None = None) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            mask = subject.effects == effect
            why = getattr(subject.tails, f"{missing_reasons or values}_missing_reason")[
                mask
            ].tolist()
            numbers = getattr(subject.tails, values)[mask]
            found = self.bootstrap.median(numbers, why or [subject.missing_reason])
            return _in_time(found, _LONGEST.get(values))

        return take

    def _octave(self, effect: str, place: int) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            mask = subject.effects == effect
            why = subject.tails.octaves_missing_reason[mask, place].tolist()
            numbers = subject.tails.octaves[mask, place]
            return _in_time(
                self.bootstrap.median(numbers, why or [subject.missing_reason]), _LONGEST["t20"]
            )

        return take

    def _decays(self, effect: str) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            chosen = subject.tails.decays[subject.effects == effect]
            return self.bootstrap.proportion(chosen, subject.missing_reason)

        return take

    def _distance(self, values: str) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            both = [getattr(each.tails, values) for each in (subject, self.study.training)]
            finite = [one[np.isfinite(one)] for one in both]
            return self.bootstrap.statistic(
                tails.distance, *finite, missing_reason=subject.missing_reason, bounds=(0, np.inf)
            )

        return take

    def _share(self, wet: str) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            if subject.effect is None:
                return Measure(missing_reason=ONE_KIND)
            return self.bootstrap.proportion(subject.effect.best == wet, subject.missing_reason)

        return take

    def _effect_accuracy(self, subject: NoteSet) -> Measure:
        if subject.effect is None:
            return Measure(missing_reason=ONE_KIND)
        if len(subject) and subject.clips.effect[0] == "":
            return Measure(missing_reason=NOT_ASKED)
        return self.right(subject, subject.effect.best == subject.clips.effect)

    def _pitch_accuracy(self, subject: NoteSet) -> Measure:
        if subject.pitch is None:
            return Measure(missing_reason=ONE_KIND)
        return self.right(subject, subject.pitch.best == subject.clips.pitch)

    def _pitch_entropy(self, subject: NoteSet) -> Measure:
        if subject.pitch is None:
            return Measure(missing_reason=ONE_KIND)
        return self.bootstrap.mean(
            pitch.entropy(subject.pitch.probabilities), [subject.missing_reason]
        )

    def _within(self, subject: NoteSet) -> Measure:
        return self.right(subject, np.abs(np.nan_to_num(subject.cents, nan=np.inf)) <= pitch.HIT)

    def _cents(self, subject: NoteSet) -> Measure:
        missing_reasons = [UNHEARD if np.isnan(found) else "" for found in subject.cents]
        return self.bootstrap.median(
            np.abs(subject.cents), missing_reasons or [subject.missing_reason]
        )


def _in_time(measure: Measure, limit: float | None) -> Measure:
    """A median decay time, or a word where it is the longest that can be measured, or longer."""
    if limit is not None and measure.known and measure.value >= limit:
        return Measure(notes=measure.notes, missing_reason=tails.SLOW)
    return measure
