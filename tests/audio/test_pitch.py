import numpy as np
import pytest

from reverbsynth.audio.pitch import HIGHEST, LOWEST, cents, estimated_pitch, midi_to_hz
from reverbsynth.data.notes import Rejected
from reverbsynth.data.sources.soundfont import SoundFont
from reverbsynth.settings import SoundFontSource

RATE = 16_000


def note(pitch, harmonics, seconds=1.0, cents=0):
    """A decaying tone of harmonics below 7.8 kHz, each dying away faster, over an offset."""
    hz, time = midi_to_hz(pitch + cents / 100), np.arange(round(seconds * RATE)) / RATE
    random = np.random.default_rng(pitch)
    wave = sum(
        level * np.sin(2 * np.pi * k * hz * time + random.uniform(0, 6)) * np.exp(-time * (1 + k))
        for k, level in harmonics.items()
        if k * hz < 7800
    )
    wave = 0.3 * wave / np.abs(wave).max() + random.normal(size=len(time)) * 1e-4
    return (0.05 + wave).astype(np.float32)


TIMBRES = {
    "sine": {1: 1.0},
    "plucked": {k: 1 / k for k in range(1, 40)},
    "hollow": {k: 1 / k for k in range(1, 40, 2)},
    "weak fundamental": {1: 0.1} | {k: 1 / k for k in range(2, 40)},
}


@pytest.mark.parametrize("timbre", TIMBRES)
def test_every_key_of_a_piano_is_estimated_in_its_octave(timbre):
    highest = 96 if timbre == "weak fundamental" else HIGHEST  # Above, it is a note an octave up.
    for pitch in range(LOWEST, highest + 1):
        for off in (-30, 25):
            found, confidence = estimated_pitch(note(pitch, TIMBRES[timbre], cents=off))
            assert (found, confidence > 0.9) == (pitch, True), (pitch, off)


@pytest.mark.parametrize("program", [1, 13, 33, 34, 74])
def test_notes_of_the_embedded_soundfont_are_estimated(program):
    """Piano, marimba, acoustic bass, finger bass, flute."""
    source = SoundFont(SoundFontSource(programs=(program,), pitches=(28, 108), velocities=(90,)), 0)
    entries = source.index(None, Rejected(False)).entries[::8]
    for found in source.read(entries, None, Rejected(False)):
        pitch, confidence = estimated_pitch(found.audio)
        assert (pitch, confidence >= 0.5) == (found.pitch, True), found.id


@pytest.mark.parametrize("hz", [20, 4700, 6000])
def test_tones_outside_the_stated_range_are_refused(hz):
    wave = np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32)
    assert estimated_pitch(wave) == (None, 0.0)


def test_noise_and_percussion_are_refused():
    """Bursts of noise that die away, as hats, snares and cymbals do."""
    random, time = np.random.default_rng(0), np.arange(RATE) / RATE
    for rate in np.linspace(1, 60, 100):
        burst = random.normal(size=RATE) * np.exp(-rate * time)
        assert estimated_pitch(burst)[1] < 0.5


def test_a_hit_is_too_short():
    assert estimated_pitch(note(40, TIMBRES["plucked"], seconds=0.13)) == (None, 0.0)


def test_a_tone_that_dies_away_into_silence(tone):
    wave = np.concatenate([tone(40, seconds=1.0), np.zeros(48_000, np.float32)])
    assert estimated_pitch(wave)[0] == 40


def test_noise_silence_and_clicks_have_no_confidence(noise):
    assert estimated_pitch(noise[0])[1] < 0.5
    assert estimated_pitch(np.full(64_000, 0.5, np.float32)) == (None, 0.0)
    assert estimated_pitch(np.zeros(64_000, np.float32)) == (None, 0.0)
    assert estimated_pitch(np.ones(100, np.float32)) == (None, 0.0)
    assert estimated_pitch(np.full(64_000, 0.1, np.float32)) == (None, 0.0)


def test_an_offset_does_not_let_the_silence_after_a_note_count(tone):
    wave = np.concatenate([tone(40, seconds=0.5), np.zeros(56_000, np.float32)])
    assert estimated_pitch(wave + np.float32(0.1)) == estimated_pitch(wave)


@pytest.mark.parametrize("pitch", [28, 52, 79, 80, 91, 94, 99, 102, 103, 106])
def test_cents_of_notes_in_tune_and_out_of_tune(pitch):
    """High ones, too, of whose period 16 kHz show few samples."""
    for off in (0, 30):
        time = np.arange(4 * RATE) / RATE
        hz = midi_to_hz(pitch + off / 100)
        partials = range(1, int(7800 / hz) + 1)
        wave = sum(0.2 / k * np.sin(2 * np.pi * k * hz * time) for k in partials)
        found = cents(wave[None].astype(np.float32), np.array([pitch]))
        assert found == pytest.approx([off], abs=6), (pitch, off)
