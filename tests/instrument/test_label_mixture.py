"""The dial: mixtures of a label's values, in Python, on the command line and in MIDI playing."""

import numpy as np
import pytest
import soundfile
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from reverbsynth.cli.export import export
from reverbsynth.cli.play import play
from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.instrument.examples import BASS_LINE
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.label_mixture import mix_labels, parse, values_of_notes
from reverbsynth.instrument.midi import render
from reverbsynth.instrument.midi_file import choose, read_midi
from tests.instruments import untrained

EFFECTS = ["dry", "reverb", "chorus"]
app = typer.Typer()
for command in (play, export):
    app.command()(command)


def instrument_of(effects: list[str]) -> Instrument:
    labels = {"pitch": range(40, 45), "effect": effects}
    return untrained(labels, 2, filters_base=64, filters_max=8)


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return instrument_of(["dry", "reverb"])


def test_a_mixture_is_a_point_between_the_one_hot_blocks(instrument):
    found = instrument.condition([41], effect={"dry": 0.3, "reverb": 0.7})
    assert np.array_equal(found, np.float32([[0, 1, 0, 0, 0, 0.3, 0.7]]))
    assert np.array_equal(
        instrument.condition([41], effect={"reverb": 1}),
        instrument.condition([41], effect="reverb"),
    )


def test_each_note_may_have_its_own(instrument):
    asked = ["reverb", {"dry": 0.5, "reverb": 0.5}, {"dry": 1.0}]
    found = instrument.condition([40, 41, 42], effect=asked)
    assert found[:, -2:].tolist() == [[0, 1], [0.5, 0.5], [1, 0]]
    together = instrument.notes([40, 41, 42], seed=1, effect=asked)
    z = instrument.latents(3, 1)
    for pitch, latent, effect, wave in zip([40, 41, 42], z, asked, together, strict=True):
        assert np.allclose(instrument.notes([pitch], z=latent, effect=effect)[0], wave, atol=1e-5)


@given(st.floats(0, 1))
def test_what_mix_labels_makes_is_accepted_and_sums_to_one(share):
    labels = LabelSpace({"effect": EFFECTS})
    values = values_of_notes(labels, "effect", mix_labels("dry", "chorus", share), 2)
    block = labels.one_hot("effect", values)
    assert block.sum(axis=1) == pytest.approx([1, 1])
    assert block[0, 2] == pytest.approx(share)


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        ({"dry": -0.5, "reverb": 1.5}, "effect: weight of dry: found -0.5, expected 0 or more"),
        ({"dry": 0.3, "reverb": 0.6}, "effect: found weights that sum to 0.9, expected 1"),
        ({"dry": 0.3, "hall": 0.7}, "effect: found hall, expected one of dry, reverb"),
        ({"dry": "much"}, "effect: weight of dry: found 'much', expected a number"),
        ({"dry": float("nan"), "reverb": 1}, "effect: weight of dry: found nan"),
        ({}, "effect: found weights that sum to 0, expected 1"),
        ([{"dry": 1}, {"dry": 1}], "effect: found 2 values, expected 1"),
    ],
)
def test_what_is_no_mixture_is_one_line(instrument, effect, message):
    with pytest.raises(ReverbSynthError, match=message) as error:
        instrument.notes([40], effect=effect)
    assert "\n" not in str(error.value)


def test_pitches_are_not_mixed(instrument):
    with pytest.raises(ReverbSynthError, match=r"pitch: found .*, expected 40 to 44"):
        instrument.notes([{40: 0.5, 41: 0.5}])


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("reverb", "reverb"),
        ("dry=0.3, reverb=0.7", {"dry": 0.3, "reverb": 0.7}),
        ("0.25", {"dry": 0.75, "reverb": 0.25}),
        ("1", "reverb"),
        ("0", "dry"),
    ],
)
def test_what_the_command_line_says(text, meaning):
    assert parse("effect", text, ["dry", "reverb"]) == meaning


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dry=", "expected value=weight"),
        ("=1", "expected value=weight"),
        ("dry=0.5,dry=0.5", "with each value once"),
        ("1.5", r"found 1.5, expected 0 \(dry\) to 1 \(reverb\)"),
    ],
)
def test_what_it_does_not_understand_is_one_line(text, message):
    with pytest.raises(ReverbSynthError, match=message):
        parse("effect", text, ["dry", "reverb"])


def test_a_value_may_hold_an_equals_sign():
    assert parse("instrument", "Bass=DI", ("Bass=DI", "Bass=amp")) == "Bass=DI"


def test_a_share_is_of_two_effects_only():
    with pytest.raises(ReverbSynthError, match=r"found 0.5, expected a value or value=weight"):
        parse("effect", "0.5", EFFECTS)


def test_the_command_plays_a_mixture(instrument, tmp_path):
    instrument.save(tmp_path / "bass.safetensors")

    def played(effect: str) -> np.ndarray:
        out = tmp_path / "out.wav"
        call = ["play", str(tmp_path / "bass.safetensors"), "-o", str(out), "--pitch", "41"]
        done = CliRunner().invoke(app, [*call, "--effect", effect])
        assert done.exit_code == 0, done.output
        return soundfile.read(out, dtype="float32")[0]

    asked = {"dry": 0.25, "reverb": 0.75}
    wave = instrument.notes([41], z=instrument.latents(1, 0)[0], effect=asked)[0]
    wave = wave / max(1, np.abs(wave).max())
    for effect in ("dry=0.25,reverb=0.75", "0.75"):
        assert np.abs(played(effect) - wave).max() <= 1 / 32_000
    wrong = CliRunner().invoke(
        app, ["play", str(tmp_path / "bass.safetensors"), "--effect", "dry=0.5,reverb=0.6"]
    )
    assert isinstance(wrong.exception, ReverbSynthError)
    assert "sum to 1.1" in str(wrong.exception)


def test_a_piece_is_played_with_a_mixture(instrument):
    notes = choose(read_midi(BASS_LINE))[:2]
    pieces = [
        render(instrument, notes, seed=1, effect=effect).audio
        for effect in ("dry", {"dry": 0.5, "reverb": 0.5}, "reverb")
    ]
    assert all(not np.array_equal(pieces[1], other) for other in (pieces[0], pieces[2]))
