"""Whether a generator learned its training notes by heart."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from reverbsynth.audio.spectrum import distances


@dataclass(frozen=True)
class Pair:
    """A generated note and the training note nearest to it.

    ``generated`` and ``real`` are places in what was compared; ``distance`` is in dB.
    """

    generated: int
    real: int
    distance: float


def nearest(
    levels: np.ndarray,
    others: np.ndarray,
    origins: np.ndarray | None = None,
    other_origins: np.ndarray | None = None,
) -> np.ndarray:
    """Distance of each note to the nearest of others, in dB [shape=(n,)].

    Parameters
    ----------
    levels, others : ndarray [shape=(n, frames, bands)]
        Levels as of `reverbsynth.audio.spectrum.mel_levels`.
    origins, other_origins : ndarray [shape=(n,)], optional
        Source notes: two clips of one source note, a note and its twin, are not compared.
    """
    apart = distances(levels, others)
    if origins is not None and other_origins is not None:
        apart[origins[:, np.newaxis] == other_origins] = np.inf
    found = apart.min(axis=1)
    return np.where(np.isfinite(found), found, np.nan)


def copying(generated: np.ndarray, held_out: np.ndarray) -> float:
    """Chance that a generated note is nearer to the training notes than a held-out real one is.

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


def closest_pairs(generated: np.ndarray, training: np.ndarray, count: int = 4) -> list[Pair]:
    """The generated notes nearest to a training note, nearest first.

    Parameters
    ----------
    generated, training : ndarray [shape=(n, frames, bands)]
    count : int
    """
    if not len(generated) or not len(training):
        return []
    apart = distances(generated, training)
    real = apart.argmin(axis=1)
    order = np.argsort(apart.min(axis=1))[:count]
    return [Pair(int(i), int(real[i]), float(apart[i, real[i]])) for i in order]
