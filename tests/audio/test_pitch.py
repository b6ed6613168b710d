import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverbsynth.audio.pitch import estimated_pitch, pitch_of_name


@pytest.mark.parametrize(
    ("name", "pitch"),
    [
        ("bass_acoustic_000-040-100", 40),
        ("midi40", 40),
        ("Bass midi_38 v2", 38),
        ("note-7", 7),
        ("40", 40),
        ("bass_A1", 33),
        ("Upright E1 soft", 28),
        ("C4", 60),
        ("c-1", 0),
        ("F#2_take", 42),
        ("Fs2", 42),
        ("bass Bb2", 46),
        ("G9", 127),
        ("note_03_E1", 28),
        ("Note 1 A1", 33),
        ("bass_E1_note2", 28),
        ("pitch1_C2", 36),
        ("E1_take-001-002", 28),
        ("C3-vel-100-001", 48),
        ("07 - E1", 28),
        ("note2 midi40", 40),
        ("bass-033-100", 33),
        ("marimba_000-060-050", 60),
        ("midi_40_C3", None),
        ("note_3-040-100", None),
        ("A9", None),
        ("midi128", None),
        ("bass", None),
        ("take 2", None),
        ("A1 to B1", None),
        ("Bass2", None),
    ],
)
def test_names(name, pitch):
    assert pitch_of_name(name) == pitch


@given(st.integers(0, 127))
def test_every_pitch_has_a_name(pitch):
    steps = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    assert pitch_of_name(f"x {steps[pitch % 12]}{pitch // 12 - 1} y") == pitch


@given(st.integers(0, 127), st.integers(0, 999), st.sampled_from(["note", "pitch", "take", ""]))
def test_a_counter_beside_a_pitch_by_name_does_not_count(pitch, number, word):
    steps = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    spelled = f"{steps[pitch % 12]}{pitch // 12 - 1}"
    for name in (
        f"{word}_{number}_{spelled}",
        f"{spelled} {word}{number:02d}",
        f"{spelled}_{word}-{number:03d}-{number:03d}",
    ):
        assert pitch_of_name(name) == pitch


@given(st.integers(0, 127), st.integers(0, 127), st.sampled_from(["bass", "synth_lead"]))
def test_a_whole_name_of_nsynths_tells_its_pitch(pitch, velocity, family):
    assert pitch_of_name(f"{family}_acoustic_012-{pitch:03d}-{velocity:03d}") == pitch


@given(st.text(max_size=30))
def test_any_name_tells_a_midi_pitch_or_none(name):
    pitch = pitch_of_name(name)
    assert pitch is None or 0 <= pitch <= 127


@pytest.mark.parametrize("pitch", [24, 28, 33, 40, 52, 64, 77, 88, 100])
def test_tones_are_estimated(tone, pitch):
    found, confidence = estimated_pitch(tone(pitch, seconds=2.0))
    assert found == pitch
    assert confidence > 0.9


def test_a_tone_that_dies_away_into_silence(tone):
    wave = np.concatenate([tone(40, seconds=1.0), np.zeros(48_000, np.float32)])
    assert estimated_pitch(wave)[0] == 40


def test_noise_silence_and_clicks_have_no_confidence(noise):
    assert estimated_pitch(noise[0])[1] < 0.5
    assert estimated_pitch(np.zeros(64_000, np.float32)) == (None, 0.0)
    assert estimated_pitch(np.ones(100, np.float32)) == (None, 0.0)
    assert estimated_pitch(np.full(64_000, 0.1, np.float32)) == (None, 0.0)


def test_an_offset_does_not_let_the_silence_after_a_note_count(tone):
    wave = np.concatenate([tone(40, seconds=0.5), np.zeros(56_000, np.float32)])
    assert estimated_pitch(wave + np.float32(0.1)) == estimated_pitch(wave)
