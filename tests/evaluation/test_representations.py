"""Measurements of what a representation loses, on sounds whose answers are known."""

import numpy as np
import pytest

from reverbsynth.audio.format import NOTE_LENGTH, NOTE_OFF, SAMPLE_RATE
from reverbsynth.data.notes import Note
from reverbsynth.evaluation import representations
from reverbsynth.evaluation.clips import Clips
from reverbsynth.settings import Settings

TIME = np.arange(NOTE_LENGTH) / SAMPLE_RATE


def bass(hz: float, decay: float = 20.0) -> np.ndarray:
    """Ten harmonics that decay by so many dB a second, in NSynth's form."""
    wave = sum(np.sin(2 * np.pi * k * hz * TIME) / k for k in range(1, 11))
    return (0.2 * wave * 10 ** (-decay * TIME / 20)).astype(np.float32)


def test_signal_to_noise_is_the_ratio_of_powers():
    wave = bass(55)
    found = representations.loss(wave, wave * 0.9, 33)
    assert found["SNR (dB)"] == pytest.approx(20, abs=1e-4)


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_log_spectral_distance_of_a_gain_is_that_gain(gain):
    noise = np.random.default_rng(0).normal(size=NOTE_LENGTH).astype(np.float32)
    expected = abs(20 * np.log10(gain))
    assert representations.log_spectral_distance(noise, gain * noise) == pytest.approx(
        expected, rel=1e-3
    )


@pytest.mark.parametrize("cents", [-20.0, 0.0, 7.0])
@pytest.mark.parametrize("pitch", [28, 40, 77])
def test_pitch_change_is_found(pitch, cents):
    hz = 440 * 2 ** ((pitch - 69) / 12)
    found = representations.pitch_change(bass(hz), bass(hz * 2 ** (cents / 1200)), pitch)
    assert found == pytest.approx(cents, abs=0.5)


@pytest.mark.parametrize("decay", [60.0, 200.0])
def test_fall_time_of_an_exponential(decay):
    noise = np.random.default_rng(1).normal(size=NOTE_LENGTH)
    wave = noise * 10 ** (-decay * np.maximum(TIME - NOTE_OFF, 0) / 20)
    assert representations.fall_time(wave) == pytest.approx(20 / decay, rel=0.03)


def test_fall_time_of_silence_is_unknown():
    assert np.isnan(representations.fall_time(np.zeros(NOTE_LENGTH)))


class Few:
    """A data set of training notes of these keys."""

    def __init__(self, pitches):
        self._pitches = pitches

    def index(self, split):
        return [{"origin": note.origin} for note in self.notes(split)]

    def notes(self, split):
        for pitch in self._pitches:
            yield Note(f"{pitch}", bass(440 * 2 ** ((pitch - 69) / 12), decay=25), pitch)


def test_mel_loses_the_waveform_and_keeps_the_note():
    frame = representations.compare_representations(Few([30, 36, 41]), Settings())
    assert list(frame.index) == ["IF-Mel", "linear IF", "phase"]
    assert frame.loc["linear IF", "SNR (dB)"] > 60
    assert frame.loc["phase", "SNR (dB)"] > 60
    assert frame.loc["IF-Mel", "SNR (dB)"] < 15
    assert frame.loc["IF-Mel", "pitch error (cents)"] < 5
    assert frame.loc["IF-Mel", "log-spectral distance (dB)"] < 6


def test_what_is_lost_is_measured_on_notes_from_all_over_the_training_set(monkeypatch):
    """Data sets are in order of instrument and key: their first notes are the lowest of one."""
    seen = []

    def none(clips, spectra):
        seen.extend(clips.pitch)
        return {"IF-Mel": clips.waves}

    monkeypatch.setattr(representations, "by_each_representation", none)
    representations.compare_representations(Few(range(30, 70)), Settings(), 6)
    assert len(seen) == 6
    assert min(seen) < 45 < max(seen)
    assert max(seen) - min(seen) > 20


def test_inverses_are_compared_at_each_stage():
    waves = np.stack([bass(55), bass(55, decay=5)])
    clips = Clips.from_notes(
        [
            Note(effect, wave, 33, effect=effect)
            for effect, wave in zip(("dry", "reverb"), waves, strict=True)
        ]
    )
    decoded = representations.by_each_inverse(clips, Settings().spectra, stages=(8, 12))
    frame = representations.compare_inverses(clips, decoded)
    assert list(frame["stage"]) == ["", *[8] * 8, *[12] * 4]
    distance = frame.set_index(["stage", "inverse"])["distance (dB)"]
    assert distance["", "the notes"] == 0
    assert distance[12, "NNLS, 4 projections"] < 0.5 * distance[12, "original"]
    assert distance[12, "original"] < distance[8, "original"]
    assert {"dry tail (dB)", "reverb tail (dB)", "T20 (s)"} <= set(frame)
