"""Copies are found; new notes are not taken for copies."""

from dataclasses import replace

import numpy as np
import pytest

from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.grid import Grid
from reverbsynth.evaluation.metrics import memorization
from reverbsynth.evaluation.note_sets import NoteSet

RNG = np.random.default_rng(0)
TRAINING = RNG.normal(size=(60, 3, 4))
HELD_OUT = RNG.normal(size=(40, 3, 4))


def note_set(name: str, levels: np.ndarray, notes_of_each: int = 1) -> NoteSet:
    """Notes whose levels are known, as many of each source note; one that is silent before them."""
    waves = np.tile(np.float32([0.1, -0.1]), (len(levels) + 1, 1))
    waves[0] = 0
    numbers = np.arange(len(waves)) - 1
    clips = Clips.of_waves(waves, (40 + numbers).tolist(), {})
    ids = np.array([f"{name}-{number}" for number in numbers], object)
    origins = np.array([f"{name}-{number}" for number in numbers // notes_of_each], object)
    clips = replace(clips, id=ids, origin=origins)
    notes = NoteSet(name, clips, Grid.empty(clips), {}, 0.95)
    notes.levels = levels
    return notes


def distances(levels: np.ndarray) -> np.ndarray:
    return memorization.nearest(note_set("others", levels), note_set("training", TRAINING))


def test_a_copy_is_found_with_its_original():
    generated = note_set("generated", np.concatenate([HELD_OUT[:5], TRAINING[[17]] + 0.01]))
    pairs = memorization.closest_pairs(generated, note_set("training", TRAINING), 2)
    copy = {"generated": 6, "pitch": 45, "training": "training-17"}
    assert pairs[0] == {**copy, "distance": pytest.approx(0.01)}
    assert pairs[1]["distance"] > 0.1


def test_a_note_and_its_twin_are_not_compared():
    levels = TRAINING[::2].repeat(2, axis=0)
    of_one_name = note_set("training", levels, notes_of_each=2)
    assert memorization.nearest(note_set("others", levels), of_one_name).max() == 0
    assert memorization.nearest(of_one_name, of_one_name).min() > 0.1


def test_copying_of_copies_and_of_new_notes():
    held_out, copies = distances(HELD_OUT), distances(TRAINING + 1e-3)
    new = distances(np.random.default_rng(5).normal(size=(400, 3, 4)))
    assert memorization.copying(copies, held_out) == 1
    assert memorization.copying(new, held_out) == pytest.approx(0.5, abs=0.1)
    assert memorization.copying(new + 100, held_out) == 0


def test_nothing_is_nearest_to_nothing():
    nothing, training = note_set("generated", TRAINING[:0]), note_set("training", TRAINING)
    assert memorization.closest_pairs(nothing, training) == []
    assert len(memorization.nearest(nothing, training)) == 0
