"""What it is worth to tell the pitch as a number."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.io import read_sound, write_audio
from reverbsynth.audio.pitch import midi_to_hz
from reverbsynth.book import workspace
from reverbsynth.book.chapters import pitch
from reverbsynth.evaluation.report import Report


@pytest.fixture
def folder(here, monkeypatch):
    """A folder of measurements that were made up: two inputs, two times, one key."""
    folder = here / "pitch"
    folder.mkdir()
    monkeypatch.setattr(pitch, "FOLDER", folder)
    monkeypatch.setattr(workspace, "RESULTS", here)
    rows = [(m, kind, 10.0 * m, 5.0 * m, 50.0) for kind in ("harmonic", "one-hot") for m in (1, 3)]
    columns = ["minutes", "pitch_input", "pitch", "cents50", "effect"]
    made = pd.DataFrame(rows, columns=columns).assign(images=100, commit="abc123")
    made["settings"] = [f"hash{i}" for i in range(len(rows))]
    made.to_csv(here / pitch.TABLE, index=False)
    rng = np.random.default_rng(0)
    for minutes, kind, *_ in rows:
        name = f"{minutes}-{kind}-40.flac"
        write_audio(folder / name, rng.normal(size=NOTE_LENGTH).astype(np.float32) / 10)
    return folder


class Sines:
    """An instrument that plays sines, and is told the pitch as a number or as a class."""

    pitches = tuple(range(36, 61))

    def __init__(self, pitch_input):
        self.gan = SimpleNamespace(pitch_input=pitch_input)

    def latents(self, count, seed):
        return np.zeros((count, 4), np.float32)

    def notes(self, pitches, z):
        time = np.arange(NOTE_LENGTH) / SAMPLE_RATE
        return np.sin(2 * np.pi * midi_to_hz(pitches)[:, None] * time).astype(np.float32)


def test_a_row_for_each_training(folder):
    page = pitch.learned().data
    assert page.count("<tr>") == 1 + 4
    assert page.index(">3<") > page.rindex(">1<")


def test_measurements_name_the_trainings_they_come_from(folder):
    for shown in (pitch.learned().data, pitch.show_clips().data):
        assert "4 trainings" in shown
        assert "hash0, hash1, hash2 and hash3" in shown
        assert "No training run" not in shown


def test_clips_stand_in_the_order_of_time_by_input(folder):
    text = pitch.show_clips().data
    assert text.count("<figure") == 1
    places = [text.index(f">{label} <small") for label in ("harmonic, 1 min", "harmonic, 3 min")]
    assert places == sorted(places)
    assert text.count("<audio") == 4


def test_a_glide_rises_by_an_octave_while_the_note_is_held(here, run):
    shown = pitch.glide(Sines("harmonic"), run, 1)
    assert "from E2 (40) to E3 (52)" in shown.data
    sound = read_sound(here / "media" / "pitch-glide-1.wav")
    for second, expected in ((0.0, 40), (1.45, 46), (2.9, 52)):
        heard = sound[round(second * SAMPLE_RATE) :][:1600]
        peak = np.abs(np.fft.rfft(heard * np.hanning(1600), SAMPLE_RATE)).argmax()
        assert peak == pytest.approx(midi_to_hz(expected), rel=0.04)


@pytest.mark.parametrize(
    ("keys", "named", "top"),
    [
        ((60, 85), "from C4 (60) to C5 (72)", 2600),
        ((28, 46), "from A1 (33) to A2 (45)", 600),
        ((100, 105), "from E7 (100) to G♯7 (104)", 8000),
    ],
)
def test_a_glide_keeps_to_the_keys_that_there_are(here, run, monkeypatch, keys, named, top):
    monkeypatch.setattr(Sines, "pitches", tuple(range(*keys)))
    shown = pitch.glide(Sines("harmonic"), run, 1)
    assert named in shown.data
    assert f"below {top} Hz" in shown.data


def test_a_network_that_knows_keys_alone_does_not_glide(here, run):
    assert "cannot play between them" in pitch.glide(Sines("one-hot"), run, 1).data


def test_the_shipped_measurements_have_all_that_the_chapter_prints(here):
    facts = Report.load(pitch.FOLDER / "held_out.json").facts
    shown = pitch.held_out().data
    assert f"{facts['images_seen']:,} images" in shown
    assert facts["instrument_settings"] in shown
    assert facts["instrument_commit"] in shown
    assert "estimate within 50 cents" in shown
    assert "trainings" in pitch.learned().data
    assert "<audio" in pitch.show_clips().data


def test_without_measurements_it_says_so(here, monkeypatch):
    monkeypatch.setattr(pitch, "FOLDER", here / "nothing")
    monkeypatch.setattr(workspace, "RESULTS", here)
    for shown in (pitch.learned(), pitch.show_clips(), pitch.held_out()):
        assert "come with a checkout" in shown.data
