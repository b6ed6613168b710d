"""What a metric is, and what all groups of metrics share."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from reverbsynth.evaluation.bootstrap import TOO_FEW, UNDEFINED, Measure, NotMeasured
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet
from reverbsynth.evaluation.report import Row

NOT_ASKED = "not asked"
NOT_APPLICABLE = "—"
_DIGITS = {"%": 1, "dB": 1, "cents": 1}


class Metric(NamedTuple):
    """A metric, and what measures one set of notes, or raises `NotMeasured`."""

    key: str
    name: str
    unit: str
    measure: Callable[[NoteSet], Measure]


def measure_all(data: EvaluationData, group: str, metrics: Iterable[Metric]) -> list[Row]:
    """Measure every set of notes by each of a group's metrics."""
    rows = []
    for key, name, unit, metric in metrics:
        measures = [_measured(metric, notes) for notes in data.note_sets]
        rows.append(Row(key, group, name, unit, _DIGITS.get(unit, 2), *measures))
    return rows


def share(data: EvaluationData, note_set: NoteSet, correct: np.ndarray) -> Measure:
    """Measure the share of correct ones [shape=(usable notes,)]; what is no sound is wrong."""
    if len(note_set) < data.bootstrap.least:
        raise NotMeasured(TOO_FEW)
    answers = np.zeros(len(note_set.all_clips), bool)
    answers[note_set.usable] = correct
    return data.bootstrap.proportion(answers, note_set.all_clips.origin)


def _measured(metric: Callable[[NoteSet], Measure], note_set: NoteSet) -> Measure:
    """Measure a set of notes. Where too few of them are sounds, their flaw is the reason."""
    try:
        measure = metric(note_set)
    except NotMeasured as error:
        measure = Measure(notes=len(note_set), missing_reason=str(error))
    if measure.missing_reason in (TOO_FEW, UNDEFINED) and note_set.missing_reason:
        return replace(measure, missing_reason=note_set.missing_reason)
    return measure
