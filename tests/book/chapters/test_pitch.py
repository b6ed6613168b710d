"""What it is worth to tell the pitch as a number."""

import numpy as np
import pandas as pd
import pytest

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.audio.io import write_audio
from reverbsynth.book.chapters import pitch
from reverbsynth.settings import Settings

LAPTOP = Settings.preset("laptop")


@pytest.fixture
def folder(here, monkeypatch):
    """A folder of measurements that were made up: two inputs, two times, one key."""
    folder = here / "measured"
    folder.mkdir()
    monkeypatch.setattr(pitch, "FOLDER", folder)
    rows = [(m, kind, 10.0 * m, 5.0 * m, 50.0) for kind in ("harmonic", "one-hot") for m in (1, 3)]
    columns = ["minutes", "pitch_input", "pitch", "cents50", "effect"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "table.csv", index=False)
    rng = np.random.default_rng(0)
    for minutes, kind, *_ in rows:
        name = f"{minutes}-{kind}-40.flac"
        write_audio(folder / name, rng.normal(size=NOTE_LENGTH).astype(np.float32) / 10)
    write_audio(folder / "glide.flac", rng.normal(size=2 * NOTE_LENGTH).astype(np.float32) / 10)
    return folder


def test_a_row_for_each_training(folder):
    page = pitch.learned(LAPTOP).data
    assert page.count("<tr>") == 1 + 4
    assert page.index(">3<") > page.rindex(">1<")


def test_clips_stand_in_the_order_of_time_by_input(folder):
    text = pitch.show_clips(LAPTOP).data
    assert text.count("<figure") == 1
    places = [text.index(f">{label} <small") for label in ("harmonic, 1 min", "harmonic, 3 min")]
    assert places == sorted(places)
    assert text.count("<audio") == 4
    assert pitch.glide(LAPTOP).data.count("<audio") == 1


def test_without_measurements_it_says_so(here, monkeypatch):
    monkeypatch.setattr(pitch, "FOLDER", here / "nothing")
    assert pitch.measured().empty
    for shown in (pitch.learned(LAPTOP), pitch.show_clips(LAPTOP), pitch.glide(LAPTOP)):
        assert "come with a checkout" in shown.data
