"""Whether a note has the pitch that was asked for."""

import numpy as np

HIT = 50.0
"""Cents: an estimate this near counts as right (Poliner et al., "Melody transcription from music
audio", 2007, section III-A)."""


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of each note's distribution over pitches, in nats [shape=(n,)].

    GANSynth's pitch entropy is the mean over notes (Engel et al., 2019, section 3): low where the
    classifier is sure. Its pitch accuracy is how often the most probable pitch is the asked one.

    Parameters
    ----------
    probabilities : ndarray [shape=(n, pitches)]
    """
    return -np.sum(probabilities * np.log(np.maximum(probabilities, 1e-12)), axis=1)
