"""Notes measured against each other: what the same of real notes is compared with."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

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
TRAINING = np.random.default_rng(0).uniform(1, 3, 12).tolist()
Tails = Sequence[float]


def note_set(name: str, timbres: list[float], origin: str = "", tails: Tails = ()) -> NoteSet:
    """A grid of notes, by how the partials of each timbre fall; source notes are the set's own.

    ``tails`` are the levels of each note's last second, where they are not 1.
    """
    waves = [
        sum(np.sin(2 * np.pi * k * midi_to_hz(pitch) * SECONDS) / k**timbre for k in range(1, 20))
        for timbre, pitch in product(timbres, PITCHES)
    ]
    waves = 0.1 * np.array(waves, np.float32)
    for wave, tail in zip(waves, tails, strict=False):
        wave[3 * SAMPLE_RATE :] *= tail
    clips = Clips.of_waves(waves, PITCHES * len(timbres), {})
    clips = replace(clips, origin=np.array([f"{origin or name} {i}" for i in clips.id], object))
    return NoteSet(name, clips, Grid(clips, len(timbres), len(PITCHES)), {}, 0.95)


def evaluated(generated: list[float], trained: int = 2, tails: Tails = ()) -> EvaluationData:
    training = TRAINING
    return EvaluationData(
        EvaluationSettings(),
        Bootstrap(resamples=100, least=2),
        note_set("training", training),
        note_set("real", REAL),
        note_set("ceiling", REAL),
        note_set("trained", training[:trained], "training"),
        note_set("generated", generated, tails=tails),
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


def test_a_note_and_its_twin_are_one_answer_about_pitch():
    """All are right: the interval is that of as many answers as there are source notes."""
    data = evaluated(REAL)
    grid = data.real.grid
    twins = replace(grid.clips, origin=np.arange(len(grid.clips)) // 2)
    found = []
    for clips in (grid.clips, twins):
        notes = copy.copy(data.real)
        notes.grid = replace(grid, clips=clips)
        notes.grid_pitch = SimpleNamespace(best=clips.pitch)
        found.append(measured("control.pitch", notes, data))
    alone, paired = found
    assert alone.value == paired.value == 1
    assert 1.4 < (1 - paired.low) / (1 - alone.low) < 1.6


def test_training_notes_too_say_how_near_real_notes_are_to_the_others():
    few, many = (evaluated(REAL * 3, trained) for trained in (1, 12))
    narrow, wide = (measured("memory.copying", data.generated, data) for data in (many, few))
    assert narrow.high - narrow.low < wide.high - wide.low
    # A note of the training set is not counted as near to itself.
    assert measured("memory.copying", many.training, many).value == pytest.approx(0.5, abs=0.1)


def test_copies_are_near_what_they_are_copies_of():
    def near(notes: list[float]) -> list[float]:
        data = evaluated(notes)
        keys = ("memory.training", "memory.held-out", "memory.copying")
        return [measured(key, data.generated, data).value for key in keys]

    training, held_out, copying = near(TRAINING[:6])
    assert (training, copying) == (pytest.approx(0, abs=1e-3), 1)
    assert held_out > 0.5
    training, held_out, copying = near(REAL)
    assert held_out == pytest.approx(0, abs=1e-3)
    assert training > 0.5
    assert copying < 0.7


def test_what_follows_the_timbre_is_told_apart():
    """Brightness that differs with the timbre and a tail with the pitch, and the reverse."""
    for timbres, tails, following, other in (
        (REAL, [0.1, 0.9] * 4, "control.brightness", "control.tail"),
        ([1.5] * 4, np.repeat([0.1, 0.3, 0.5, 0.9], 2), "control.tail", "control.brightness"),
    ):
        data = evaluated(timbres, tails=tails)
        assert measured(following, data.generated, data).value > 0.9
        assert measured(other, data.generated, data).value < 0.5
