"""Intervals cover what they should, and reasons stand where there are no numbers."""

import numpy as np
import pytest

from reverbsynth.evaluation.bootstrap import TOO_FEW, UNDEFINED, Bootstrap, Measure

BOOTSTRAP = Bootstrap(resamples=300, least=5)


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        found = BOOTSTRAP.mean(np.random.default_rng(seed).normal(3, 1, 60))
        covered += found.low <= 3 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_an_interval_narrows_with_the_root_of_the_number():
    rng = np.random.default_rng(0)
    few, many = (BOOTSTRAP.median(rng.normal(size=n)) for n in (50, 5000))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(10, rel=0.5)


def test_the_same_notes_have_the_same_interval():
    values = np.random.default_rng(0).normal(size=30)
    assert BOOTSTRAP.median(values) == BOOTSTRAP.median(values)


def test_notes_without_a_value_do_not_count():
    found = BOOTSTRAP.mean(np.array([1, 2, 3, 4, 5, 6, np.nan]))
    assert found.notes == 6
    assert found.value == pytest.approx(3.5)


def test_too_few_notes_have_no_number():
    found = BOOTSTRAP.mean(np.ones(4))
    assert not found.known
    assert found.text() == TOO_FEW
    reasons = ["plateau", "plateau", "silent", ""]
    assert BOOTSTRAP.median(np.array([np.nan] * 3 + [1.0]), reasons).missing_reason == "plateau"
    assert BOOTSTRAP.statistic(np.mean, np.ones(4)).missing_reason == TOO_FEW
    assert BOOTSTRAP.proportion(np.ones(4, bool)).missing_reason == TOO_FEW


def test_a_share_of_all_or_none_keeps_its_doubt():
    everyone, no_one = (BOOTSTRAP.proportion(np.full(80, answer)) for answer in (True, False))
    assert (everyone.value, everyone.high) == (1, pytest.approx(1))
    assert everyone.low == pytest.approx(0.954, abs=0.001)  # 80 / (80 + 1.96²)
    assert (no_one.value, no_one.high) == (0, pytest.approx(0.046, abs=0.001))


def test_the_interval_of_a_statistic_covers_it_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        found = BOOTSTRAP.statistic(np.mean, np.random.default_rng(seed).normal(3, 1, 60))
        covered += found.low <= 3 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_interval_of_a_statistic_surrounds_it_and_stays_within_bounds():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=40), rng.normal(size=50)

    def distance(x, y):
        return abs(np.sort(x).mean() - y.mean())

    found = BOOTSTRAP.statistic(distance, first, second, bounds=(0, np.inf))
    assert found.low <= found.value <= found.high
    assert found.low >= 0
    assert found.notes == 40


def test_twins_are_drawn_together():
    """Every note twice tells no more than every note once."""
    values = np.random.default_rng(0).normal(size=200)
    twice, sources = np.repeat(values, 2), np.repeat(np.arange(200).astype(str), 2)
    for measure in (BOOTSTRAP.median, BOOTSTRAP.mean, _mean_by_statistic):
        alone, together = measure(values), measure(twice, groups=sources)
        apart = measure(twice)
        assert together.value == pytest.approx(alone.value)
        assert together.notes == 400
        assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.25)
        assert apart.high - apart.low < 0.85 * (together.high - together.low)


def _mean_by_statistic(values, groups=None):
    return BOOTSTRAP.statistic(np.mean, values, groups=[groups])


def test_notes_of_one_source_note_have_no_number():
    values, one = np.arange(16.0), np.zeros(16)
    for found in (
        BOOTSTRAP.mean(values, groups=one),
        BOOTSTRAP.proportion(values < 8, groups=one),
        BOOTSTRAP.statistic(np.mean, values, groups=[one]),
    ):
        assert found.missing_reason == TOO_FEW


def test_twins_that_all_agree_are_as_many_answers_as_source_notes():
    sources = np.repeat(np.arange(40).astype(str), 2)
    found = BOOTSTRAP.proportion(np.ones(80, bool), sources)
    assert found.low == pytest.approx(40 / (40 + 1.96**2), abs=0.001)
    assert found.notes == 80


def test_an_undefined_statistic_is_a_missing_reason():
    assert BOOTSTRAP.statistic(lambda x: np.nan, np.ones(9)).missing_reason == UNDEFINED


@pytest.mark.parametrize(
    ("measure", "text"),
    [
        (Measure(1.234, 1.0, 1.5, 9), "1.23 [1.00, 1.50]"),
        (Measure(12345.6), "12,345.60"),
        (Measure(missing_reason="NaN"), "NaN"),
    ],
)
def test_a_cell_of_a_table(measure, text):
    assert measure.text() == text


def test_a_cell_of_a_share_is_in_percent():
    assert Measure(0.981, 0.952, 0.99, notes=80).text(1, scale=100) == "98.1 [95.2, 99.0]"
    of_seeds = Measure(0.97, 0.9, 0.99, seeds=(0.96, 0.98))
    assert of_seeds.text(1, scale=100) == "97.0 (96.0 to 98.0)"
