"""Whether a generator learned its training notes by heart: distances of `mel_levels`."""

import numpy as np
from scipy import stats

from reverbsynth.audio.spectrum import distances


def nearest(levels: np.ndarray, others: np.ndarray, twins: np.ndarray | bool = False) -> np.ndarray:
    """Return each note's distance in dB to the nearest of others, ``twins`` aside, or NaN."""
    if not len(levels) or not len(others):
        return np.empty(0)
    closest = np.where(twins, np.inf, distances(levels, others)).min(axis=1)
    return np.where(np.isfinite(closest), closest, np.nan)


def copying(generated: np.ndarray, real: np.ndarray) -> float:
    """Estimate the chance that a generated note is nearer to training notes than another real one.

    From both kinds' distances to the nearest other training note: the Mann-Whitney statistic over
    its largest value, as in Meehan, Chaudhuri and Dasgupta, "A non-parametric test to detect
    data-copying in generative models" (2020), section 3.1.
    """
    above = stats.mannwhitneyu(real, generated).statistic
    return float(above / (len(generated) * len(real)))


def closest_pairs(
    generated: np.ndarray, training: np.ndarray, count: int = 4
) -> list[tuple[int, int, float]]:
    """Indices of generated notes nearest to a training note, of that, and the distance in dB."""
    if not len(generated) or not len(training):
        return []
    between = distances(generated, training)
    closest = between.argmin(axis=1)
    order = np.argsort(between.min(axis=1))[:count]
    return [(int(i), int(closest[i]), float(between[i, closest[i]])) for i in order]
