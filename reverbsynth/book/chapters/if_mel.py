"""Chapter 2: what IF-Mel is, and what it loses."""

import numpy as np
import pandas as pd
from IPython.display import Markdown

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.spectra.format import N_FFT
from reverbsynth.spectra.mel import mel_centers, mel_formula


def representation_losses(losses: pd.DataFrame) -> Markdown:
    """What `compare_representations` found, in a sentence or two."""
    mel, linear = losses.loc["IF-Mel"], losses.loc["linear IF"]
    return Markdown(
        f"On a linear scale the waveform itself comes back ({linear['SNR (dB)']:.0f} dB); on the "
        f"mel scale it does not ({mel['SNR (dB)']:.1f} dB), because phase that was projected to "
        "mel cannot be projected back exactly. What an ear holds on to survives better: the "
        f"spectrum is off by {mel['log-spectral distance (dB)']:.1f} dB, the pitch by "
        f"{mel['pitch error (cents)']:.2f} cents, and the time in which the tail falls by 20 dB by "
        f"{mel['change of decay (ms)']:.0f} ms. So generated notes are judged by pitch, decay "
        "and spectrum in this book, never by their waveform."
    )


def mel_scale() -> Markdown:
    """How far the mel matrix is from the mel formula."""
    formula, matrix = mel_formula(), mel_centers()
    half = len(formula) // 2
    apart = np.abs(matrix / formula - 1) > 0.01
    meets = int(np.flatnonzero(apart)[-1]) + 1
    spacing = (matrix[meets] - matrix[0]) / meets
    return Markdown(
        f"By the formula, half of the bins would lie below {formula[half]:,.0f} Hz; in the matrix "
        f"they lie below {matrix[half]:,.0f} Hz, because each widened band pushes the next one up. "
        f"Up to {matrix[meets]:,.0f} Hz, where matrix and formula meet, the bins are evenly "
        f"spaced, {spacing:.1f} Hz apart; those of the STFT are {SAMPLE_RATE / N_FFT:.1f} Hz "
        "apart. *Mel* in IF-Mel is a name more than a scale, and it resolves low harmonics "
        "hardly better than a linear scale does."
    )
