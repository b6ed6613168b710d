"""Compile what librosa compiles before several processes need it.

Two that compile the same function at once can leave numba a mixed cache that crashes later readers.
"""

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.pitch import fundamentals
from reverbsynth.audio.spectrum import constant_q_levels, mel_levels


def warm_up() -> None:
    """Use each of librosa's functions that the library uses, on a tone."""
    wave = np.sin(2 * np.pi * 110 * np.arange(NOTE_LENGTH) / SAMPLE_RATE).astype(np.float32)
    fundamentals(wave, 50.0, 500.0)
    mel_levels(wave[np.newaxis])
    constant_q_levels(wave[np.newaxis])


if __name__ == "__main__":
    warm_up()
