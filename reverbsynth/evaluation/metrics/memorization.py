"""Whether a generator learned its training notes by heart."""

import numpy as np
from scipy import stats

from reverbsynth.audio.spectrum import distances


def nearest(
    levels: np.ndarray,
    others: np.ndarray,
    origins: np.ndarray | None = None,
    other_origins: np.ndarray | None = None,
) -> np.ndarray:
    """Return each note's distance to the nearest of other notes.

    Parameters
    ----------
    levels, others : ndarray [shape=(n, frames, bands)], [shape=(m, frames, bands)]
        Levels as of `reverbsynth.audio.spectrum.mel_levels`.
    origins, other_origins : ndarray [shape=(n,)], [shape=(m,)], optional
        Source notes: two clips of one source note, a note and its twin, are not compared.

    Returns
    -------
    ndarray [shape=(n,)]
        In dB; NaN where there is nothing to compare with.
    """
    found = distances(levels, others)
    if origins is not None and other_origins is not None:
        found[origins[:, np.newaxis] == other_origins] = np.inf
    closest = found.min(axis=1)
    return np.where(np.isfinite(closest), closest, np.nan)


def copying(generated: np.ndarray, held_out: np.ndarray) -> float:
    """Estimate the chance that a generated note is nearer to training notes than a held-out one.

    0.5 for notes as new as held-out ones, more where training notes were copied: the Mann-Whitney
    statistic over its largest value, as in Meehan, Chaudhuri and Dasgupta, "A non-parametric test
    to detect data-copying in generative models" (2020), section 3.1.

    Parameters
    ----------
    generated, held_out : ndarray [shape=(n,)], [shape=(m,)]
        Distances to the nearest training note.
    """
    above = stats.mannwhitneyu(held_out, generated).statistic
    return float(above / (len(generated) * len(held_out)))


def closest_pairs(
    generated: np.ndarray, training: np.ndarray, count: int = 4
) -> list[tuple[int, int, float]]:
    """Find the generated notes that are nearest to a training note, nearest first.

    Parameters
    ----------
    generated, training : ndarray [shape=(n, frames, bands)], [shape=(m, frames, bands)]
        Levels as of `reverbsynth.audio.spectrum.mel_levels`.
    count : int

    Returns
    -------
    list of tuple
        Indices of the generated note and of the training note, and their distance in dB.
    """
    if not len(generated) or not len(training):
        return []
    found = distances(generated, training)
    closest = found.argmin(axis=1)
    order = np.argsort(found.min(axis=1))[:count]
    return [(int(i), int(closest[i]), float(found[i, closest[i]])) for i in order]
