"""How far generated notes, all together, are from real ones: the metrics of GANSynth's Table 1.

Engel et al., "GANSynth" (2019), section 3. Features [shape=(n, features)] and probabilities
[shape=(n, pitches)] are those of the pitch classifier.
"""

import numpy as np
from scipy import linalg, stats
from sklearn.cluster import KMeans
from sklearn.metrics.pairwise import polynomial_kernel

SIGNIFICANCE = 0.05  # of the test that calls a bin different (Richardson and Weiss 2018, section 2)
# Cochran, "Some methods for strengthening the common chi-squared tests" (1954).
NOTES_PER_BIN = 5


def bin_count(most: int, *sizes: int) -> int:
    """Return how many bins samples of these sizes allow, at most `most`."""
    return min(most, min(sizes) // NOTES_PER_BIN)


class Bins:
    """Number of statistically different bins, NDB.

    Richardson and Weiss, "On GANs and GMMs" (2018), section 2: real samples [shape=(n, ...)] are
    clustered by k-means; a bin is different where a two-proportion test rejects that real and
    generated samples fall into it equally often: by chance in about 5 % of bins.
    """

    def __init__(self, reference: np.ndarray, count: int, seed: int = 0):
        self.count = count
        self._clusters = KMeans(count, n_init=3, random_state=seed)
        self.reference = self._clusters.fit_predict(reference.reshape(len(reference), -1))

    def assign(self, samples: np.ndarray) -> np.ndarray:
        """Return the bin of each sample [shape=(n,)]."""
        return self._clusters.predict(samples.reshape(len(samples), -1))


def different_bins(first: np.ndarray, second: np.ndarray, count: int) -> float:
    """Count the bins in which the shares of two samples, given by bins, differ significantly."""
    n, m = len(first), len(second)
    shares = np.bincount(first, minlength=count) / n, np.bincount(second, minlength=count) / m
    pooled = (n * shares[0] + m * shares[1]) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    score = np.abs(shares[0] - shares[1]) / np.where(error > 0, error, 1)
    return float(np.sum(2 * stats.norm.sf(score) < SIGNIFICANCE))


def inception_score(probabilities: np.ndarray) -> float:
    """Return exp of the mean divergence of each note's pitch distribution from their mean.

    Salimans et al., "Improved techniques for training GANs" (2016), section 4. It is 1 where all
    notes have the same distribution, and at most the number of pitches.
    """
    divergences = stats.entropy(probabilities, probabilities.mean(axis=0, keepdims=True), axis=1)
    return float(np.exp(divergences.mean()))


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the squared Wasserstein-2 distance of normal distributions with two samples' moments.

    Heusel et al., "GANs trained by a two time-scale update rule" (2017), equation 6. It is too
    large for few samples, and needs more of them than features.
    """
    means = first.mean(axis=0), second.mean(axis=0)
    covariances = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = linalg.sqrtm(covariances[0] @ covariances[1])
    spread = np.trace(covariances[0] + covariances[1] - 2 * np.real(root))
    return float(np.sum((means[0] - means[1]) ** 2) + max(spread, 0.0))


class KernelDistance:
    """Squared maximum mean discrepancy of features, with the kernel (x·y/d + 1)³, unbiased.

    Gretton et al., "A kernel two-sample test" (2012), equation 3; the kernel is that of Bińkowski
    et al., "Demystifying MMD GANs" (2018), section 4. Unbiased, it may be negative.
    """

    def __init__(self, first: np.ndarray, second: np.ndarray):
        pairs = ((first, first), (second, second), (first, second))
        self._kernels = [polynomial_kernel(*pair, degree=3, coef0=1) for pair in pairs]

    def __call__(self, first: np.ndarray, second: np.ndarray) -> float:
        """Return the distance of notes by index; one drawn twice is not compared with itself."""
        within, other, across = self._kernels
        first = np.bincount(first, minlength=len(within)).astype(float)
        second = np.bincount(second, minlength=len(other)).astype(float)
        between = first @ across @ second / (first.sum() * second.sum())
        return float(_mean_of_pairs(within, first) + _mean_of_pairs(other, second) - 2 * between)


def _mean_of_pairs(kernel: np.ndarray, weights: np.ndarray) -> float:
    """Return the kernel's mean over pairs of different notes; NaN where there is no pair."""
    pairs = weights.sum() ** 2 - np.square(weights).sum()
    if pairs == 0:
        return np.nan
    return (weights @ kernel @ weights - np.square(weights) @ np.diagonal(kernel)) / pairs
