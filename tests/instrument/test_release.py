"""What is heard when a key is let go: the rule of `reverbsynth.instrument.release`."""

import numpy as np
import pytest

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.errors import SettingsError
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.instrument.release import chosen_release, longest_release, released

TIME = np.arange(NOTE_LENGTH) / SAMPLE_RATE


def wet_note(hertz: float, loss: float = 6.0, tail: float = 50.0) -> np.ndarray:
    """A tone that loses so many dB a second while it is held, and others in its tail."""
    level = -loss * np.minimum(TIME, 3) - tail * np.maximum(TIME - 3, 0)
    return (10 ** (level / 20) * np.sin(2 * np.pi * hertz * TIME)).astype(np.float32)


def db_per_second(wave: np.ndarray, hertz: float) -> float:
    """By the levels of two stretches of four periods, 0.3 s apart."""
    length = round(4 * SAMPLE_RATE / hertz)
    first, second = (np.square(wave[int(at * SAMPLE_RATE) :][:length]).mean() for at in (0.2, 0.5))
    return 10 * np.log10(second / first) / 0.3


@pytest.mark.parametrize("hertz", [41.2, 97.3, 440.0])
@pytest.mark.parametrize("seconds", [0.05, 0.7, 2.5])
def test_an_early_release_goes_on_with_the_notes_own_tail(hertz, seconds):
    wave = wet_note(hertz)
    heard = released(wave, seconds, "tail")
    held = round(seconds * SAMPLE_RATE)
    assert np.array_equal(heard[160:held], wave[160:held])
    assert db_per_second(heard[held:], hertz) == pytest.approx(-50, abs=0.5)
    # Nowhere does it step more than the tone itself does.
    step = np.abs(np.diff(heard[held - 400 : held + 2000])).max()
    assert step < 1.1 * np.abs(np.diff(wave[max(held - 400, 0) : held])).max()
    # The tail is as loud as the note was: 20 to 57 ms later it begins, at the level it had.
    before, after = (
        np.abs(heard[at : at + round(SAMPLE_RATE / hertz) + 1]).max() for at in (held, held + 320)
    )
    assert after == pytest.approx(before, rel=0.06)
    assert len(heard) - held <= longest_release("tail") * SAMPLE_RATE


def test_a_note_held_to_its_release_is_heard_as_it_is():
    wave = wet_note(97.3)
    for seconds in (2.99, 3.0, 7.0):
        heard = released(wave, seconds, "tail")
        assert np.array_equal(heard[160:-160], wave[160:-160])
        assert heard[0] == heard[-1] == 0


def test_the_tail_of_a_note_that_died_away_is_not_blown_up():
    wave = wet_note(97.3, loss=30)
    heard = released(wave, 0.3, "tail")
    assert np.abs(heard[int(0.4 * SAMPLE_RATE) :]).max() < 11 * np.abs(wave[47_000:]).max()
    silent = np.where(TIME < 1, wave, 0).astype(np.float32)
    assert not released(silent, 0.5, "tail")[int(0.53 * SAMPLE_RATE) :].any()


def test_the_tail_is_the_default_of_instruments_with_effects():
    plain, wet = {"pitch": [40]}, {"pitch": [40], "effect": ["dry", "reverb"]}
    assert chosen_release(None, LabelSpace(plain)) == "fade"
    assert chosen_release(None, LabelSpace(wet)) == "tail"
    assert chosen_release("fade", LabelSpace(wet)) == "fade"
    with pytest.raises(SettingsError, match="release: found loop, expected fade or tail"):
        chosen_release("loop", LabelSpace(wet))
