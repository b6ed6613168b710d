"""Notes measured against each other: what the same of real notes is compared with."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.pitch import midi_to_hz
from reverbsynth.evaluation.bootstrap import Bootstrap, Measure
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.grid import Grid
from reverbsynth.evaluation.metrics import collective
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet
from reverbsynth.settings import EvaluationSettings

SECONDS = np.arange(NOTE_LENGTH) / SAMPLE_RATE
PITCHES = [40, 47]
REAL = [1.0, 1.5, 2.0, 3.0]


def note_set(name: str, timbres: list[float], origin: str = "") -> NoteSet:
    """A grid of notes, by how the partials of each timbre fall; source notes are the set's own."""
    waves = [
        sum(np.sin(2 * np.pi * k * midi_to_hz(pitch) * SECONDS) / k**timbre for k in range(1, 20))
        for timbre, pitch in product(timbres, PITCHES)
    ]
    clips = Clips.of_waves(0.1 * np.array(waves, np.float32), PITCHES * len(timbres), {})
    clips = replace(clips, origin=np.array([f"{origin or name} {i}" for i in clips.id], object))
    return NoteSet(name, clips, Grid(clips, len(timbres), len(PITCHES)), {}, 0.95)


def evaluated(generated: list[float], trained: int = 2) -> EvaluationData:
    training = np.random.default_rng(0).uniform(1, 3, 12).tolist()
    return EvaluationData(
        EvaluationSettings(),
        Bootstrap(resamples=100, least=2),
        note_set("training", training),
        note_set("real", REAL),
        note_set("ceiling", REAL),
        note_set("trained", training[:trained], "training"),
        note_set("generated", generated),
        ["dry"],
    )


def measured(key: str, notes: NoteSet, data: EvaluationData) -> Measure:
    group = collective.control if key.startswith("control") else collective.memory
    return next(metric for metric in group(data) if metric.key == key).measure(notes)


def test_independent_draws_of_the_real_timbres_are_as_varied_as_they_are():
    data = evaluated(REAL * 10)
    real, drawn = (measured("control.diversity", s, data) for s in (data.real, data.generated))
    assert drawn.value == pytest.approx(real.value, rel=0.03)
    alike = evaluated(REAL[:2] * 20)
    assert measured("control.diversity", alike.generated, alike).value < 0.6 * real.value


def test_training_notes_too_say_how_near_real_notes_are_to_the_others():
    few, many = (evaluated(REAL * 3, trained) for trained in (1, 12))
    narrow, wide = (measured("memory.copying", data.generated, data) for data in (many, few))
    assert narrow.high - narrow.low < wide.high - wide.low
    # A note of the training set is not counted as near to itself.
    assert measured("memory.copying", many.training, many).value == pytest.approx(0.5, abs=0.1)
