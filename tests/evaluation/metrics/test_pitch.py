"""Pitch of tones that are in tune, detuned, or none."""

from types import SimpleNamespace

import librosa
import numpy as np
import pytest

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.pitch import cents
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.metrics import per_note

TIME = np.arange(NOTE_LENGTH) / SAMPLE_RATE


def tone(midi: float) -> np.ndarray:
    hz = librosa.midi_to_hz(midi)
    return sum(np.sin(2 * np.pi * k * hz * TIME) / k for k in range(1, 6)) * np.exp(-TIME)


@pytest.mark.parametrize("detuned", [-80.0, -12.0, 0.0, 30.0])
@pytest.mark.parametrize("midi", [28, 45, 60])
def test_a_detuned_tone_is_off_by_that_much(midi, detuned):
    found = cents(tone(midi + detuned / 100)[np.newaxis], np.array([midi]))
    assert found[0] == pytest.approx(detuned, abs=5)


def test_an_octave_error_is_1200_cents():
    found = cents(np.stack([tone(48), tone(24)]), np.array([36, 36]))
    assert found == pytest.approx([1200, -1200], abs=5)


def test_silence_has_no_pitch():
    assert np.isnan(cents(np.zeros((1, NOTE_LENGTH)), np.array([40])))


def test_a_note_that_dies_early_is_measured_where_it_sounds():
    wave = tone(40) * (TIME < 0.8)
    assert cents(wave[np.newaxis], np.array([40]))[0] == pytest.approx(0, abs=5)


def test_entropy_of_certainty_and_of_ignorance():
    data = SimpleNamespace(bootstrap=Bootstrap(resamples=10, least=2))
    metrics = {metric.key: metric.measure for metric in per_note.pitch(data)}
    for kinds in (1, 2, 4):
        probabilities = np.tile(np.arange(4) < kinds, (2, 1)) / kinds
        predictions = SimpleNamespace(probabilities=probabilities)
        clips = SimpleNamespace(origin=np.array(["a", "b"]))
        found = metrics["pitch.entropy"](SimpleNamespace(pitch=predictions, clips=clips))
        assert found.value == pytest.approx(np.log(kinds))
