"""The notebook panel, through its own callbacks."""

import io

import numpy as np
import pytest
import soundfile
from PIL import Image

from reverbsynth.errors import ReverbSynthError
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.widgets import panel
from tests.instruments import untrained


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    labels = {"pitch": range(40, 45), "effect": ["dry", "reverb"]}
    return untrained(labels, 4, filters_base=64, filters_max=8)


@pytest.fixture
def shown(instrument):
    return panel(instrument)


def test_keys_without_training_notes_are_marked():
    instrument = untrained(
        {"pitch": range(40, 43)}, 2, trained_pitches=(40, 42), filters_base=64, filters_max=8
    )
    shown = panel(instrument)
    names = [name for name, _ in shown.pitch.options]
    assert names == ["E2 (40)", "F2 (41), no training notes, E2 resampled", "F♯2 (42)"]
    shown.pitch.value = 41
    assert np.array_equal(shown.wave, instrument.notes([41], z=instrument.latents(1, 0)[0])[0])


def test_it_starts_with_a_note_and_its_picture(shown):
    assert shown.pitch.value == 42
    audio, rate = soundfile.read(io.BytesIO(shown.player.value))
    assert (len(audio), rate) == (64_000, 16_000)
    assert np.abs(audio).max() == pytest.approx(0.9, abs=1e-3)
    assert Image.open(io.BytesIO(shown.picture.value)).size == (648, 256)


@pytest.mark.parametrize(
    ("control", "value"),
    [("pitch", 44), ("first_seed", 9), ("blend", 0.5), ("wetness", 0.5)],
)
def test_each_control_changes_sound_and_picture(shown, control, value):
    wave, picture = shown.wave, shown.picture.value
    getattr(shown, control).value = value
    assert not np.array_equal(shown.wave, wave)
    assert shown.picture.value != picture


def test_the_panel_plays_what_the_instrument_does(shown, instrument):
    shown.pitch.value = 41
    shown.first_seed.value = 5
    shown.wetness.value = 1.0
    assert np.array_equal(shown.wave, instrument.notes([41], seed=5, effect="reverb")[0])
    shown.second_seed.value = 6
    shown.blend.value = 1.0
    expected = instrument.notes([41], seed=6, effect="reverb")[0]
    assert np.allclose(shown.wave, expected, atol=1e-3 * np.abs(expected).max())


def test_of_two_effects_there_is_a_dial(shown, instrument):
    assert shown.selects == {}
    assert shown.wetness.description == "Reverb"
    shown.wetness.value = 0.7
    z = instrument.latents(1, 0)[0]
    expected = instrument.notes([42], z=z, effect={"dry": 0.3, "reverb": 0.7})[0]
    assert np.allclose(shown.wave, expected, atol=1e-3 * np.abs(expected).max())


def test_of_more_effects_a_menu_and_an_amount():
    labels = {"pitch": [40, 41], "effect": ["chorus", "dry", "reverb"]}
    instrument = untrained(labels, 2, filters_base=64, filters_max=8)
    shown = panel(instrument)
    assert shown.wetness.value == 1
    shown.selects["effect"].value = "reverb"
    shown.wetness.value = 0.25
    z = instrument.latents(1, 0)[0]
    expected = instrument.notes([41], z=z, effect={"dry": 0.75, "reverb": 0.25})[0]
    assert np.allclose(shown.wave, expected, atol=1e-3 * np.abs(expected).max())


def test_an_instrument_has_one_stage(shown):
    assert shown.stage.options == (4,)
    assert shown.stage.disabled


def test_what_cannot_be_played_is_told_and_taken_back(instrument, monkeypatch):
    shown = panel(instrument)
    wave = shown.wave
    with monkeypatch.context() as patch:
        patch.setattr(shown, "_instrument", refusing)
        shown.pitch.value = 44
    assert shown.message.value == "the file is gone"
    assert shown.pitch.value == 42
    assert shown.wave is wave
    shown.pitch.value = 43
    assert shown.message.value == ""
    assert np.array_equal(shown.wave, instrument.notes([43], seed=0)[0])


def refusing(stage):
    raise ReverbSynthError("the file is gone")


def test_the_note_is_saved(shown, tmp_path):
    shown.file_name.value = str(tmp_path / "a.flac")
    shown.save.click()
    assert shown.message.value == f"saved {tmp_path / 'a.flac'}"
    assert len(soundfile.read(tmp_path / "a.flac")[0]) == 64_000


def test_a_wrong_file_name_is_told_in_the_panel(shown, tmp_path):
    shown.file_name.value = str(tmp_path / "a.mp3")
    shown.save.click()
    assert "expected one of .wav" in shown.message.value
    assert not list(tmp_path.iterdir())


def test_an_instruments_file_can_be_given(instrument, tmp_path):
    instrument.save(tmp_path / "bass.safetensors")
    again = panel(tmp_path / "bass.safetensors")
    assert np.array_equal(again.wave, panel(instrument).wave)
    with pytest.raises(ReverbSynthError, match="no such file"):
        panel(tmp_path / "none.safetensors")
