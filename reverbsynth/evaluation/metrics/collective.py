"""Sections of a report that measure notes against each other: distribution, memory, control."""

from collections.abc import Callable

import numpy as np

from reverbsynth.audio import spectrum, tails
from reverbsynth.evaluation.bootstrap import TOO_FEW, Measure
from reverbsynth.evaluation.classifier import FEATURES
from reverbsynth.evaluation.metrics import distribution, memorization
from reverbsynth.evaluation.metrics.base import (
    NOT_APPLICABLE,
    ONE_KIND,
    REFERENCE,
    MetricFn,
    MetricGroup,
)
from reverbsynth.evaluation.metrics.diversity import Spread, intraclass_correlation
from reverbsynth.evaluation.note_sets import NoteSet
from reverbsynth.evaluation.report import Row


class CollectiveMetrics(MetricGroup):
    """Measures of many notes at a time."""

    def distribution(self) -> list[Row]:
        """The measures of GANSynth's Table 1 that take all notes together.

        NDB, Fréchet distance and inception score change with the number of notes, so that as many
        of each kind are taken; the kernel distance needs no such care.
        """
        share = "NDB, as a share of the bins"
        return self.rows(
            "Distribution",
            ("distribution.ndb", "NDB", "", self._bins(share=False)),
            ("distribution.bins", share, "%", self._bins(share=True)),
            ("distribution.fid", "Fréchet distance", "", self._frechet),
            ("distribution.kernel", "kernel distance", "", self._kernel),
            ("distribution.inception", "inception score", "", self._inception),
        )

    def memory(self) -> list[Row]:
        """Distances to what the generator was shown, and to what it was not."""
        training = self.study.training
        among = self.bootstrap.median(self.nearest(training, training))
        none = Measure(missing_reason=NOT_APPLICABLE)
        between = "distance between training notes"
        to_training = "distance to the nearest training note"
        to_held_out = "distance to the nearest held-out note"
        nearer = "nearer to training notes than the ceiling's are"
        return [
            Row("memory.among", "Memory", between, "dB", 1, among, none, none),
            *self.rows(
                "Memory",
                ("memory.training", to_training, "dB", self._nearest(training)),
                ("memory.held-out", to_held_out, "dB", self._nearest(self.study.real)),
                ("memory.copying", nearer, "%", self._copying),
            ),
        ]

    def control(self) -> list[Row]:
        """What a latent vector decides, and what a label does."""
        tail = self._consistency(lambda wave: tails.tail_ratio(wave)[0])
        return self.rows(
            "Diversity and control",
            ("control.diversity", "distance of timbres at one pitch", "dB", self._diversity),
            ("control.pitch", "pitch accuracy of one timbre", "%", self._grid_accuracy),
            ("control.tail", "tail that follows the timbre (ICC)", "", tail),
            (
                "control.brightness",
                "brightness that follows the timbre (ICC)",
                "",
                self._consistency(spectrum.brightness),
            ),
        )

    def nearest(self, subject: NoteSet, other: NoteSet) -> np.ndarray:
        """Distance of each note to the nearest of another kind, its own twins aside, in dB."""
        if not len(subject) or not len(other):
            return np.empty(0)
        origins = subject.clips.origin, other.clips.origin
        return memorization.nearest(subject.levels, other.levels, *origins)

    def _bins(self, share: bool) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            bins = self.study.bins
            if bins is None or len(subject) < self.bootstrap.least:
                return Measure(notes=len(subject), missing_reason=subject.missing_reason or TOO_FEW)
            scale = 1 / bins.count if share else 1.0

            def different(reference: np.ndarray, sample: np.ndarray) -> float:
                return scale * distribution.different_bins(reference, sample, bins.count)

            assigned = bins.assign(subject.levels[: self.study.matched])
            return self.bootstrap.statistic(
                different, bins.reference, assigned, bounds=(0, scale * bins.count)
            )

        return take

    def _frechet(self, subject: NoteSet) -> Measure:
        if subject.pitch is None:
            return Measure(missing_reason=ONE_KIND)
        return self.bootstrap.statistic(
            distribution.frechet_distance,
            subject.pitch.features[: self.study.matched],
            self.study.training.pitch.features,
            missing_reason=subject.missing_reason,
            least=FEATURES + 1,
            bounds=(0, np.inf),
        )

    def _kernel(self, subject: NoteSet) -> Measure:
        if subject.pitch is None:
            return Measure(missing_reason=ONE_KIND)
        if not len(subject):
            return Measure(missing_reason=subject.missing_reason or TOO_FEW)
        both = subject.pitch.features, self.study.training.pitch.features
        places = [np.arange(len(features)) for features in both]
        return self.bootstrap.statistic(
            distribution.KernelDistance(*both), *places, missing_reason=subject.missing_reason
        )

    def _inception(self, subject: NoteSet) -> Measure:
        if subject.pitch is None:
            return Measure(missing_reason=ONE_KIND)
        sample = subject.pitch.probabilities[: self.study.matched]
        return self.bootstrap.statistic(
            distribution.inception_score,
            sample,
            missing_reason=subject.missing_reason,
            bounds=(1, np.inf),
        )

    def _nearest(self, other: NoteSet) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            return self.bootstrap.median(self.nearest(subject, other), [subject.missing_reason])

        return take

    def _copying(self, subject: NoteSet) -> Measure:
        if subject is self.study.ceiling:
            return Measure(missing_reason=REFERENCE)
        training = self.study.training
        both = self.nearest(subject, training), self.nearest(self.study.ceiling, training)
        return self.bootstrap.statistic(
            memorization.copying, *both, missing_reason=subject.missing_reason, bounds=(0, 1)
        )

    def _diversity(self, subject: NoteSet) -> Measure:
        grid = subject.grid
        if grid.clips.missing_reason or not grid.timbres:
            return Measure(missing_reason=grid.clips.missing_reason or TOO_FEW)
        return self.bootstrap.statistic(
            Spread(grid.levels), np.arange(grid.timbres), bounds=(0, np.inf)
        )

    def _grid_accuracy(self, subject: NoteSet) -> Measure:
        grid = subject.grid
        if grid.clips.missing_reason:
            return Measure(missing_reason=grid.clips.missing_reason)
        heard = subject.grid_pitch
        if heard is None:
            return Measure(missing_reason=ONE_KIND)
        return self.bootstrap.proportion(heard.best == grid.clips.pitch)

    def _consistency(self, function: Callable[[np.ndarray], float]) -> MetricFn:
        def take(subject: NoteSet) -> Measure:
            grid = subject.grid
            if grid.clips.missing_reason or not grid.timbres:
                return Measure(missing_reason=grid.clips.missing_reason or TOO_FEW)
            return self.bootstrap.statistic(
                intraclass_correlation, grid.each(function), bounds=(-1, 1)
            )

        return take
