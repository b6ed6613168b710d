"""What is in the data set."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.book.chapters import dataset
from reverbsynth.book.players import MEDIA, evened
from reverbsynth.data.notes import Note
from reverbsynth.settings import Settings
from reverbsynth.spectra.representation import Representation


def test_level_of_a_full_scale_sine_is_minus_3_db():
    sine = np.sin(2 * np.pi * 100 * np.arange(NOTE_LENGTH) / SAMPLE_RATE)
    assert dataset.level(sine)[NOTE_LENGTH // 2] == pytest.approx(-3.01, abs=0.02)


def test_a_record_is_read_as_it_was_written(small_data):
    frame = dataset.record_table(small_data)
    assert list(frame.index[:2]) == ["audio", "pitch"]
    assert frame.loc["audio", "type"] == "float (64,000)"
    first = next(small_data.notes("train"))
    assert frame.loc["pitch", "first clip"] == str(first.pitch)
    assert frame.loc["id", "first clip"] == first.id
    assert (frame["holds"] != "").all()
    assert frame["in the paper"].tolist() == ["yes", "yes"] + ["no"] * (len(frame) - 2)


def test_a_note_and_its_twins_are_shown_whatever_the_effects_are_called():
    page = Path(__file__).parents[3] / "notebooks" / "01_dataset.ipynb"
    cells = ["".join(cell["source"]) for cell in json.loads(page.read_text())["cells"]]
    (cell,) = [cell for cell in cells if cell.startswith("pair = ")]
    twins = {name: Note(name, np.ones(NOTE_LENGTH), 41) for name in ("clean", "hall")}
    captions = []
    shown = {"chapter": dataset, "show": lambda *given, **_: captions.append(given[1])}
    exec(cell, {**shown, "pairs": [twins], "ws": None})
    assert "pitch 41" in captions[0]


def test_data_counts_of_a_small_set():
    class Small:
        splits = ("train", "test")

        def index(self, split):
            rows = [
                Note("a/dry", np.zeros(1), 36, effect="dry", origin="a").metadata,
                Note("a/reverb", np.zeros(1), 36, effect="reverb", origin="a").metadata,
            ]
            return rows if split == "train" else rows[:1]

        def vocabulary(self, label):
            return ["dry", "reverb"]

    frame = dataset.data_counts(Small())
    assert frame.loc["train"].tolist() == [1, 1, 1, 2]
    assert frame.loc["test"].tolist() == [1, 1, 0, 1]


class TestToggles:
    def notes(self) -> list[dict[str, Note]]:
        rng = np.random.default_rng(0)
        return [
            {
                effect: Note(
                    f"{pitch}/{effect}", rng.normal(size=NOTE_LENGTH).astype(np.float32) / 10, pitch
                )
                for effect in ("dry", "reverb")
            }
            for pitch in (36, 40)
        ]

    def test_twins_are_switched_note_by_note(self, here):
        settings = Settings.preset("paper")
        pairs = self.notes()
        text = dataset.twin_toggle(
            pairs, Representation(settings.spectra), settings, "toggle"
        )._repr_html_()
        assert re.findall(r'data-label="([^"]+)"', text) == ["dry", "reverb"]
        assert 'data-kind="toggle" data-what="Effect"' in text
        labels = re.findall(r'<audio [^>]*aria-label="([^"]+)"', text)
        assert labels == [f"{n}, {e}" for e in ("dry", "reverb") for n in ("C2 (36)", "E2 (40)")]
        stored, _ = soundfile.read(MEDIA / "toggle-01-2.wav", dtype="float32")
        expected, _ = evened(pairs[1]["reverb"].audio)
        np.testing.assert_allclose(stored, expected, atol=1 / 32768)
