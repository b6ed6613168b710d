"""Grids whose rows and columns are known."""

import numpy as np
import pytest

from reverbsynth.evaluation.metrics.diversity import Spread, intraclass_correlation

RNG = np.random.default_rng(0)


def test_spread_of_equal_and_of_shifted_timbres():
    one = RNG.normal(size=(1, 3, 4, 5))
    assert Spread(one.repeat(3, axis=0))(np.arange(3)) == 0
    apart = Spread(np.concatenate([one, one + 6]))
    assert apart(np.array([0, 1])) == pytest.approx(6)
    assert apart(np.array([0, 0, 1])) == pytest.approx(6)
    assert np.isnan(apart(np.array([1, 1])))


def test_consistency_of_timbre_plus_pitch_is_one():
    assert intraclass_correlation(np.arange(5.0)[:, None] + RNG.normal(size=7)) == pytest.approx(1)


def test_consistency_of_noise_is_zero_on_average():
    found = [
        intraclass_correlation(np.random.default_rng(s).normal(size=(8, 8))) for s in range(300)
    ]
    assert np.mean(found) == pytest.approx(0, abs=0.02)


def test_consistency_of_equal_variances_is_a_half():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(4000, 1)) + rng.normal(size=(4000, 6))
    assert intraclass_correlation(values) == pytest.approx(0.5, abs=0.03)


def test_icc_of_shrout_and_fleiss():
    # Their table 2: four judges, six targets; ICC(3,1) = 0.71.
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert intraclass_correlation(np.array(ratings, float)) == pytest.approx(0.71, abs=0.005)


def test_missing_pitches_are_left_out():
    values = np.arange(4.0)[:, None] + np.arange(3.0)
    values[2, 1] = np.nan
    assert intraclass_correlation(values) == pytest.approx(1)
    values[0, 0] = np.nan
    assert np.isnan(intraclass_correlation(values))
    assert np.isnan(intraclass_correlation(np.zeros((3, 3))))
