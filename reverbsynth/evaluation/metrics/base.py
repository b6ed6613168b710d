"""What all sections of a report share."""

from collections.abc import Callable

import numpy as np

from reverbsynth.evaluation.bootstrap import TOO_FEW, Measure
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet
from reverbsynth.evaluation.report import Row

NOT_ASKED = "not asked"
ONE_KIND = "one kind only"
REFERENCE = "the reference"
NOT_APPLICABLE = "—"
_DIGITS = {"%": 1, "dB": 1, "cents": 1}

MetricFn = Callable[[NoteSet], Measure]
"""Takes one measure of notes of one kind."""


class MetricGroup:
    """Takes measures of real notes, of the ceiling's and of generated ones.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: EvaluationData):
        self.study = study
        self.bootstrap = study.bootstrap

    def row(self, group: str, key: str, name: str, unit: str, take: MetricFn) -> Row:
        """One measure, of all kinds of notes."""
        measures = [take(subject) for subject in self.study.subjects]
        return Row(key, group, name, unit, _DIGITS.get(unit, 2), *measures)

    def rows(self, group: str, *entries: tuple[str, str, str, MetricFn]) -> list[Row]:
        """Measures of one group: key, name, unit and what takes it."""
        return [self.row(group, *entry) for entry in entries]

    def right(self, subject: NoteSet, answers: np.ndarray) -> Measure:
        """Share of right answers of the usable notes; a note that is no sound is a wrong one."""
        if len(subject) < self.bootstrap.least:
            return Measure(notes=len(subject), missing_reason=subject.missing_reason or TOO_FEW)
        right = np.zeros(len(subject.asked), bool)
        right[subject.usable] = answers
        return self.bootstrap.proportion(right)
