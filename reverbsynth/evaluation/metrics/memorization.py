"""Whether a generator learned its training notes by heart: distances of `mel_levels`."""

from typing import Any

import numpy as np
from scipy import stats

from reverbsynth.audio.spectrum import distances
from reverbsynth.evaluation.note_sets import NoteSet


def nearest(notes: NoteSet, others: NoteSet) -> np.ndarray:
    """Return each note's distance in dB to the nearest of a set, its own twins aside, or NaN."""
    if not len(notes) or not len(others):
        return np.empty(0)
    twins = notes.clips.origin[:, np.newaxis] == others.clips.origin
    closest = np.where(twins, np.inf, distances(notes.levels, others.levels)).min(axis=1)
    return np.where(np.isfinite(closest), closest, np.nan)


def copying(generated: np.ndarray, real: np.ndarray) -> float:
    """Estimate the chance that a generated note is nearer to training notes than another real one.

    From both kinds' distances to the nearest other training note: the Mann-Whitney statistic over
    its largest value, as in Meehan, Chaudhuri and Dasgupta, "A non-parametric test to detect
    data-copying in generative models" (2020), section 3.1.
    """
    above = stats.mannwhitneyu(real, generated).statistic
    return float(above / (len(generated) * len(real)))


def closest_pairs(generated: NoteSet, training: NoteSet, count: int = 4) -> list[dict[str, Any]]:
    """Return the generated notes nearest to a training note: index, pitch, its id, and dB."""
    if not len(generated) or not len(training):
        return []
    between = distances(generated.levels, training.levels)
    closest, indices = between.argmin(axis=1), np.flatnonzero(generated.usable)
    return [
        {
            "generated": int(indices[note]),
            "pitch": int(generated.clips.pitch[note]),
            "training": training.clips.id[closest[note]],
            "distance": float(between[note, closest[note]]),
        }
        for note in np.argsort(between.min(axis=1))[:count]
    ]
