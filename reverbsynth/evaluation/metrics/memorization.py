"""Whether a generator learned its training notes by heart.

Levels [shape=(n, frames, bands)] are those of `reverbsynth.audio.spectrum.mel_levels`.
"""

import numpy as np
from scipy import stats

from reverbsynth.audio.spectrum import distances


def nearest(
    levels: np.ndarray,
    others: np.ndarray,
    origins: np.ndarray | None = None,
    other_origins: np.ndarray | None = None,
) -> np.ndarray:
    """Return each note's distance in dB to the nearest of other notes [shape=(n,)].

    Two clips of one source note (`origins`), a note and its twin, are not compared. NaN where there
    is nothing to compare with; empty where there are no others.
    """
    if not len(levels) or not len(others):
        return np.empty(0)
    between = distances(levels, others)
    if origins is not None and other_origins is not None:
        between[origins[:, np.newaxis] == other_origins] = np.inf
    closest = between.min(axis=1)
    return np.where(np.isfinite(closest), closest, np.nan)


def copying(generated: np.ndarray, held_out: np.ndarray) -> float:
    """Estimate the chance that a generated note is nearer to training notes than a held-out one.

    From both kinds' distances to the nearest training note. 0.5 for notes as new as held-out ones,
    more where training notes were copied: the Mann-Whitney statistic over its largest value, as in
    Meehan, Chaudhuri and Dasgupta, "A non-parametric test to detect data-copying in generative
    models" (2020), section 3.1.
    """
    above = stats.mannwhitneyu(held_out, generated).statistic
    return float(above / (len(generated) * len(held_out)))


def closest_pairs(
    generated: np.ndarray, training: np.ndarray, count: int = 4
) -> list[tuple[int, int, float]]:
    """Find the generated notes that are nearest to a training note, nearest first.

    Each with the indices of the generated note and of the training note, and their distance in dB.
    """
    if not len(generated) or not len(training):
        return []
    between = distances(generated, training)
    closest = between.argmin(axis=1)
    order = np.argsort(between.min(axis=1))[:count]
    return [(int(i), int(closest[i]), float(between[i, closest[i]])) for i in order]
