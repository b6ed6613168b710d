"""Spectra of sounds whose spectra are known."""

import librosa
import numpy as np
import pytest

from reverbsynth.audio import spectrum
from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE

TIME = np.arange(NOTE_LENGTH) / SAMPLE_RATE


def tone(hz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * TIME)


def test_treble_of_two_tones():
    wave = tone(200) + 0.1 * tone(6000)
    assert spectrum.treble(wave) == pytest.approx(10 * np.log10(0.01 / 1.01), abs=0.01)
    assert spectrum.treble(tone(200)) < -70
    assert spectrum.treble(tone(6000)) == pytest.approx(0, abs=1e-6)


def test_brightness_is_the_log_frequency_of_a_tone():
    assert spectrum.brightness(tone(512)) == pytest.approx(9, abs=1e-3)


def test_levels_ignore_loudness_and_end_at_the_floor():
    wave = tone(220) * np.exp(-4 * TIME)
    levels = spectrum.mel_levels(np.stack([wave, 0.05 * wave]))
    assert levels.shape == (2, 63, 64)
    assert levels.max() == 0
    assert levels.min() == -80
    assert np.abs(levels[0] - levels[1]).max() < 1e-3


def test_constant_q_levels_are_librosas():
    waves = np.stack([tone(41.2) * np.exp(-TIME), tone(220) + tone(660)]).astype(np.float32)
    levels = spectrum.constant_q_levels(waves)
    axis = {"fmin": librosa.midi_to_hz(24), "n_bins": 186, "bins_per_octave": 24}
    expected = np.abs(librosa.pseudo_cqt(waves, sr=SAMPLE_RATE, hop_length=8000, **axis))
    assert levels.shape == expected.shape
    expected = spectrum.from_peak(20 * np.log10(np.maximum(expected, 1e-10)))
    assert np.abs(levels - expected).max() < 1e-3
    assert spectrum.constant_q_levels(waves[:0]).shape == (0, *levels.shape[1:])


def test_log_spectral_distance_of_a_constant_offset():
    levels = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    assert spectrum.log_spectral_distance(levels, levels + 6) == pytest.approx(6, rel=1e-5)
    assert spectrum.log_spectral_distance(levels, levels) == 0


def test_the_nearest_note_is_of_the_same_pitch():
    real = np.zeros((3, 2, 2)) + np.array([0, 5, 1]).reshape(3, 1, 1)
    found = spectrum.nearest_of_same_pitch(
        np.zeros((2, 2, 2)), np.array([40, 41]), real, np.array([50, 40, 40])
    )
    assert found[0] == 1
    assert np.isnan(found[1])


def test_distances_of_every_pair():
    first, second = np.zeros((2, 3, 4)), np.ones((3, 3, 4)) * 2
    assert spectrum.distances(first, second) == pytest.approx(np.full((2, 3), 2.0))


def test_no_notes_have_no_levels():
    assert spectrum.mel_levels(np.empty((0, NOTE_LENGTH))).shape == (0, 63, 64)


def test_the_spectrum_of_a_tone():
    frequencies, power = spectrum.long_term_spectrum(tone(1000), 2048)
    assert frequencies.shape == power.shape == (1025,)
    assert frequencies[np.argmax(power)] == 1000
    assert power.max() == pytest.approx(10 * np.log10(0.5), abs=0.01)
    assert power[800:].max() < -90


def test_treble_of_equal_and_of_weak_tones():
    low, high, equal = tone(500), tone(5000), 10 * np.log10(0.5)
    assert spectrum.treble(low + high) == pytest.approx(equal, abs=0.01)
    assert spectrum.treble(low + 0.01 * high) == pytest.approx(-40, abs=0.1)
    assert spectrum.treble(np.stack([low, high])) == pytest.approx(equal, abs=0.01)


def test_a_constant_offset_is_in_no_measure():
    wave = tone(220) * np.exp(-TIME)
    shifted = wave + 0.1
    plain, raised = spectrum.mel_levels(np.stack([wave, shifted]))
    # The frames at the edges see the offset begin and end.
    assert np.abs(plain - raised)[2:-2].max() < 0.1
    for measure in (spectrum.treble, spectrum.brightness):
        assert measure(shifted) == pytest.approx(measure(wave), abs=0.01)
