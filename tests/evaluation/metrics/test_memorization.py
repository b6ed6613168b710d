"""Copies are found; new notes are not taken for copies."""

import numpy as np
import pytest

from reverbsynth.evaluation.metrics import memorization

RNG = np.random.default_rng(0)
TRAINING = RNG.normal(size=(60, 3, 4))
HELD_OUT = RNG.normal(size=(40, 3, 4))


def test_a_copy_is_found_with_its_original():
    generated = np.concatenate([HELD_OUT[:5], TRAINING[[17]] + 0.01])
    pairs = memorization.closest_pairs(generated, TRAINING, 2)
    assert pairs[0] == (5, 17, pytest.approx(0.01))
    assert pairs[1][2] > 0.1


def test_a_note_and_its_twin_are_not_compared():
    origins = np.array([f"note-{index // 2}" for index in range(60)], object)
    twins = TRAINING[::2].repeat(2, axis=0)
    assert memorization.nearest(twins, twins).max() == 0
    assert memorization.nearest(twins, twins, origins[:, None] == origins).min() > 0.1


def test_copying_of_copies_and_of_new_notes():
    held_out = memorization.nearest(HELD_OUT, TRAINING)
    copies = memorization.nearest(TRAINING + 1e-3, TRAINING)
    new = memorization.nearest(np.random.default_rng(5).normal(size=(400, 3, 4)), TRAINING)
    assert memorization.copying(copies, held_out) == 1
    assert memorization.copying(new, held_out) == pytest.approx(0.5, abs=0.1)
    assert memorization.copying(new + 100, held_out) == 0


def test_nothing_is_nearest_to_nothing():
    assert memorization.closest_pairs(np.empty((0, 3, 4)), TRAINING) == []
