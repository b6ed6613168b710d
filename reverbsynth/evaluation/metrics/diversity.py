"""What varies and what is constant on a grid of notes: timbres down, pitches across."""

import numpy as np

from reverbsynth.audio.spectrum import log_spectral_distance


class Spread:
    """How different the timbres at one pitch are: mean log-spectral distance of their pairs, in dB.

    Zhu et al., "Toward multimodal image-to-image translation" (2017), section 5, measure diversity
    so. Levels [shape=(timbres, pitches, frames, bands)] are `mel_levels`.
    """

    def __init__(self, levels: np.ndarray):
        distances = [log_spectral_distance(levels, timbre).mean(axis=-1) for timbre in levels]
        self._distances = np.array(distances)

    def __call__(self, timbres: np.ndarray) -> float:
        """Return the mean over pairs of resampled timbres, by index; NaN where all are one."""
        first, second = np.meshgrid(timbres, timbres)
        differ = first != second
        return float(self._distances[first, second][differ].mean()) if differ.any() else np.nan


def intraclass_correlation(values: np.ndarray) -> float:
    """Return how much of a property [shape=(timbres, pitches)] belongs to the timbre.

    ICC(3,1) of Shrout and Fleiss, "Intraclass correlations" (1979), table 3, with timbres as
    targets and pitches as judges: about 0 where a timbre does not keep it from pitch to pitch.
    Pitches with a missing value are left out. NaN with fewer than two of either, or no variance.
    """
    values = values[:, np.isfinite(values).all(axis=0)]
    rows, columns = values.shape
    if rows < 2 or columns < 2:
        return np.nan
    by_row = values.mean(axis=1, keepdims=True)
    by_column = values.mean(axis=0, keepdims=True)
    between = columns * np.square(by_row - values.mean()).sum() / (rows - 1)
    residual = np.square(values - by_row - by_column + values.mean()).sum()
    error = residual / ((rows - 1) * (columns - 1))
    total = between + (columns - 1) * error
    return float((between - error) / total) if total > 1e-20 else np.nan
