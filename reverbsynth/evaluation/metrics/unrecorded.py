"""Keys without training notes: whether generated notes, and a sampler's, are in tune there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from reverbsynth.audio.pitch import cents
from reverbsynth.data.dataset import DataSet
from reverbsynth.evaluation.bootstrap import Measure, NotMeasured
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.metrics.base import NOT_APPLICABLE, NOT_ASKED, Metric
from reverbsynth.evaluation.metrics.per_note import HIT, pitch_error, within_50_cents
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.resampling import transposed
from reverbsynth.seeds import evenly_spaced


def unrecorded_keys(instrument: Instrument, data: DataSet) -> list[int]:
    """Return the instrument's keys that have no training notes."""
    recorded = data.keys("train")
    return [key for key in instrument.keys if key not in recorded]


def keys_in_tune(instrument: Instrument, data: DataSet, seed: int) -> dict[str, tuple[int, int]]:
    """Count the keys whose one generated note is within 50 cents, of how many, by kind of key."""
    keys = list(instrument.keys)
    clips = Clips.generated(instrument, data, len(keys), seed, keys)
    near = np.abs(cents(np.nan_to_num(clips.waves), clips.pitch)) <= HIT
    recorded = np.isin(keys, data.keys("train"))
    kinds = {"keys with recordings": recorded, "other keys": ~recorded}
    return {name: (int(near[kind].sum()), int(kind.sum())) for name, kind in kinds.items()}


def resampled_notes(training: Clips, keys: Sequence[int], count: int) -> Clips:
    """Shift notes of the nearest other key, in their effects, to each key; cut or pad to 4 s."""
    pairs = []
    for key in keys:
        distances = np.where(training.pitch == key, np.inf, np.abs(training.pitch - key))
        nearest = training.pitch[distances.argmin()]
        pairs += [(key, note) for note in np.flatnonzero(training.pitch == nearest)]
    pitches, notes = np.array(pairs)[evenly_spaced(len(pairs), count)].T
    clips = training.where(notes)
    shifts = zip(clips.waves, pitches - clips.pitch, strict=True)
    return replace(clips, waves=np.stack([transposed(*shift) for shift in shifts]), pitch=pitches)


def pitch(data: EvaluationData) -> Iterator[Metric]:
    """Measure the pitch of notes of these keys; the baseline's notes are real ones."""

    def measure(function: Callable, baseline: str, notes: NoteSet) -> Measure:
        if not data.unrecorded:
            raise NotMeasured(NOT_ASKED)
        if baseline and notes is not data.real:
            raise NotMeasured(NOT_APPLICABLE)
        return function(data, data.unrecorded[baseline or notes.name])

    for prefix, name, of in (
        ("keys", "", ""),
        ("keys.resampled", "nearest training note resampled: ", "resampled"),
    ):
        within, error = (partial(measure, each, of) for each in (within_50_cents, pitch_error))
        yield Metric(f"{prefix}.within", f"{name}estimate within 50 cents", "%", within)
        yield Metric(f"{prefix}.cents", f"{name}median error of the estimate", "cents", error)
