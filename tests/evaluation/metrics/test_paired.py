"""The paired test on twins whose answer is known, and the curves of a dial."""

import numpy as np
import pytest

from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.grid import Grid
from reverbsynth.evaluation.metrics.paired import (
    DIAL,
    Twins,
    linear,
    monotone,
    reference_first,
    span,
)
from reverbsynth.evaluation.note_sets import NoteSet

SECONDS = np.arange(64_000) / 16_000


def note(tail: float, decay: float) -> np.ndarray:
    """Noise until 3 s, then `tail` dB below it, falling by 60 dB in `decay` seconds."""
    noise = np.random.default_rng(0).standard_normal(64_000)
    after = np.maximum(SECONDS - 3, 0)
    fall = 10 ** ((tail - 60 * after / decay) / 20)
    return (0.1 * noise * np.where(SECONDS < 3, 1, fall)).astype(np.float32)


@pytest.fixture(scope="module")
def twins() -> Twins:
    """Three notes in two effects, and one without a twin; not in order."""
    rows = [("a", "wet", -10, 0.8), ("b", "dry", -40, 0.2), ("a", "dry", -30, 0.2)]
    rows += [("c", "wet", -10, 0.8), ("b", "wet", -10, 0.8), ("d", "dry", -5, 0.5)]
    rows += [("c", "dry", -42, 0.2)]
    waves = np.stack([note(tail, decay) for _, _, tail, decay in rows])
    origins, effects = (np.array([row[i] for row in rows], object) for i in (0, 1))
    blank = np.full(len(rows), "", object)
    clips = Clips(waves, np.full(len(rows), 40), blank, effects, blank, blank, origins)
    empty = Grid.empty(clips)
    return Twins(NoteSet("real", clips, empty, {}, 0.95), ["dry", "wet"])


def test_twins_are_found_by_their_source_note(twins):
    assert twins.rows.tolist() == [[2, 0], [1, 4], [6, 3]]


def test_the_change_is_that_of_each_pair(twins):
    assert twins.change("t20", "wet") == pytest.approx([0.6] * 3, abs=0.05)
    first, second, third = twins.change("ratio", "wet")
    assert second - first == pytest.approx(10, abs=0.01)
    assert third - first == pytest.approx(12, abs=0.01)
    assert twins.missing_reasons("t20", "wet") == ["", "", ""]


def test_a_crossfade_goes_from_one_twin_to_the_other(twins):
    curves = twins.crossfades("wet", 2)
    assert curves.shape == (2, len(DIAL))
    assert curves[:, 0] == pytest.approx(twins.values("ratio", "dry")[:2])
    assert curves[:, -1] == pytest.approx(twins.values("ratio", "wet")[:2])
    assert [monotone(curve) for curve in curves] == [1, 1]


def test_what_a_curve_is_like():
    line = 3 - 20 * DIAL
    assert span(line) == pytest.approx(-20)
    assert monotone(line) == pytest.approx(-1)
    assert linear(line) == pytest.approx(1)
    switch = np.where(DIAL > 0.5, 10.0, 0.0) + 1e-3 * DIAL
    assert monotone(switch) == pytest.approx(1)
    assert linear(switch) < 0.8
    assert np.isnan([monotone(np.ones(len(DIAL))), linear(np.ones(len(DIAL)))]).all()


def test_effects_are_compared_with_dry_or_with_the_first():
    assert reference_first(["chorus", "dry", "delay"]) == ["dry", "chorus", "delay"]
    assert reference_first(["hall", "room"]) == ["hall", "room"]
