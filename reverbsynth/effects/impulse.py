"""What an effect makes of a click."""

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.effects import Effect


def impulse_response(effect: Effect, name: str = "impulse") -> np.ndarray:
    """What an effect makes of a single sample of 1, float32 of shape (64000,).

    It tells all of a linear effect; of distortion, the answer to this one input.
    ``name`` stands for a note's id where the effect draws anew for every note.
    """
    impulse = np.zeros((1, NOTE_LENGTH), np.float32)
    impulse[0, 0] = 1
    return effect(impulse, [name])[0]
