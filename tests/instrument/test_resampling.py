"""Resampling: the pitch that comes out, and what else does."""

import numpy as np
import pytest

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.instrument.resampling import transposed

TIME = np.arange(NOTE_LENGTH) / SAMPLE_RATE


def tone(hertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * TIME).astype(np.float32)


@pytest.mark.parametrize("semitones", [-7, -0.3, 0, 0.5, 4])
def test_a_tone_moves_by_the_interval(semitones):
    moved = transposed(tone(220), semitones)
    expected = tone(220 * 2 ** (semitones / 12))
    assert moved.dtype == np.float32
    sounding = slice(100, int(NOTE_LENGTH / 2 ** (semitones / 12)) - 100)
    assert np.abs(moved - expected)[sounding].max() < 2e-3


def test_what_would_alias_is_left_out():
    assert np.abs(transposed(tone(7_000), 5)[200:40_000]).max() < 0.01


def test_after_its_end_there_is_silence():
    assert not transposed(np.ones(1_000, np.float32), 12)[520:].any()


def test_along_a_curve_the_pitch_glides():
    """An octave in 4 s, exponentially: the phase of such a chirp has a closed form."""
    moved = transposed(tone(110), 12 * TIME / 8)
    phase = 2 * np.pi * 110 * (2 ** (TIME / 8) - 1) * 8 / np.log(2)
    # The last part would lie beyond the end of the tone.
    assert np.abs(moved - np.sin(phase))[100:45_000].max() < 1e-2
