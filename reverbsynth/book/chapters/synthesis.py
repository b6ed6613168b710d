"""Chapter 7: playing the instrument."""

import numpy as np
import pandas as pd

from reverbsynth.audio.format import SAMPLE_RATE


def written_files(waves: np.ndarray) -> pd.DataFrame:
    """Whether generated notes [shape=(n, samples)] are what notes must be."""
    frame = pd.DataFrame(
        {
            "samples": [len(wave) for wave in waves],
            "seconds": [len(wave) / SAMPLE_RATE for wave in waves],
            "finite": ["yes" if np.isfinite(wave).all() else "no" for wave in waves],
            "peak": np.abs(waves).max(axis=1),
            "RMS (dB of full scale)": 10 * np.log10(np.mean(np.square(waves), axis=1) + 1e-12),
        },
        index=range(1, len(waves) + 1),
    )
    frame.index.name = "note"
    return frame
