"""What an effect makes of a click."""

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.effects import Effect


def impulse_response(effect: Effect, name: str = "impulse") -> np.ndarray:
    """What an effect makes of a single sample of 1, float32 [shape=(64000,)].

    It describes a linear effect completely; of distortion, it is the answer to this one input.
    ``name`` stands for the id of a note where the effect draws anew for every note.
    """
    impulse = np.zeros((1, NOTE_LENGTH), np.float32)
    impulse[0, 0] = 1
    return effect(impulse, [name])[0]
