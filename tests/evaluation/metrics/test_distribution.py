"""Distances of distributions that are the same, or disjoint, or known."""

import numpy as np
import pytest

from reverbsynth.evaluation.metrics import distribution
from reverbsynth.evaluation.metrics.distribution import (
    Bins,
    different_bins,
    frechet_distance,
    inception_score,
)


def kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """`KernelDistance` of whole samples."""
    distance = distribution.KernelDistance(first, second)
    return distance(np.arange(len(first)), np.arange(len(second)))


def different(bins: Bins, samples: np.ndarray) -> float:
    return different_bins(bins.reference, bins.assign(samples), bins.count)


def draw(seed: int, n: int = 300, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, (n, 8))


def test_ndb_of_one_distribution_is_near_the_test_level():
    counts = []
    for seed in range(10):
        bins = Bins(draw(seed, 400), 20, seed)
        counts.append(different(bins, draw(100 + seed, 400)))
    assert np.mean(counts) < 3  # 5 % of 20 bins is 1


def test_ndb_of_disjoint_distributions_is_every_bin_that_either_fills():
    clusters = 20.0 * np.arange(4)
    reference = np.concatenate([draw(seed, 50, mean) for seed, mean in enumerate(clusters)])
    bins = Bins(reference, 4)
    assert different(bins, draw(9, 200, -50)) == 4


def test_a_missing_mode_is_one_bin_more_or_less():
    reference = np.repeat([0, 1, 2, 3], 50)
    assert different_bins(reference, reference, 4) == 0
    assert different_bins(reference, np.repeat([0, 1, 2], [50, 50, 50]), 4) == 1


def test_two_proportions_by_hand():
    # 30 of 100 against 45 of 100: z = 0.15 / sqrt(0.375 0.625 0.02) = 2.19, p = 0.028.
    first, second = np.repeat([0, 1], [30, 70]), np.repeat([0, 1], [45, 55])
    assert different_bins(first, second, 2) == 2
    # 30 against 43: z = 1.91, p = 0.056.
    assert different_bins(first, np.repeat([0, 1], [43, 57]), 2) == 0


@pytest.mark.parametrize(
    ("sizes", "expected"), [((320, 200), 40), ((320, 80), 16), ((2000, 2000), 50), ((320, 9), 1)]
)
def test_bins_are_as_many_as_the_data_allow(sizes, expected):
    assert distribution.bin_count(50, *sizes) == expected


def test_inception_score_of_certain_and_of_uniform_answers():
    assert inception_score(np.eye(10).repeat(5, axis=0)) == pytest.approx(10, rel=1e-6)
    assert inception_score(np.full((20, 10), 0.1)) == pytest.approx(1)
    assert inception_score(np.eye(10)[[3] * 20]) == pytest.approx(1, rel=1e-6)


def test_frechet_distance_of_known_normals():
    rng = np.random.default_rng(0)
    first = rng.normal(0, 1, (40_000, 4))
    second = rng.normal(0, 2, (40_000, 4)) + np.array([3, 0, 0, 0])
    # |difference of means|² + 4 (2 - 1)²
    assert frechet_distance(first, second) == pytest.approx(9 + 4, rel=0.02)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)


def test_kernel_distance_is_unbiased():
    found = [kernel_distance(draw(seed, 30), draw(1000 + seed, 60)) for seed in range(400)]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * error
    assert min(found) < 0 < max(found)


def test_kernel_distance_by_its_definition():
    first, second = draw(0, 5), draw(1, 7)

    def kernel(x, y):
        return (x @ y / 8 + 1) ** 3

    within = [
        np.mean([kernel(x, y) for i, x in enumerate(part) for j, y in enumerate(part) if i != j])
        for part in (first, second)
    ]
    across = np.mean([kernel(x, y) for x in first for y in second])
    assert kernel_distance(first, second) == pytest.approx(sum(within) - 2 * across)


def test_kernel_distance_of_disjoint_distributions_is_large():
    assert kernel_distance(draw(0), draw(1, mean=3)) > 50


def test_a_note_drawn_twice_is_not_compared_with_itself():
    found = distribution.KernelDistance(draw(0, 40), draw(1, 40))
    rng = np.random.default_rng(2)
    resampled = [found(rng.integers(40, size=40), np.arange(40)) for _ in range(300)]
    assert np.mean(resampled) == pytest.approx(found(np.arange(40), np.arange(40)), abs=0.1)
