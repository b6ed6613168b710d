"""SuperCollider's effects, against the real scsynth where it is installed."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.data.build import build_data
from reverbsynth.effects import effect, effects
from reverbsynth.effects.filters import allpass_chain
from reverbsynth.effects.supercollider.score import find_scsynth, render, scsynth_version
from reverbsynth.effects.supercollider.synthdef import SynthDef
from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import EffectSettings

needs_scsynth = pytest.mark.skipif(
    find_scsynth() is None,
    reason="scsynth is not installed: apt-get install supercollider-server",
)

SHIPPED = Path(__file__).parents[2] / "reverbsynth" / "effects" / "supercollider"

IDS = ("a", "b", "c")


def pstring(text):
    return bytes([len(text)]) + text.encode()


def compiled(name, controls, ugens, constants=()):
    """A SynthDef as sclang compiles it.

    ``controls`` are names with their default; ``ugens`` are tuples of name, rate, special index,
    inputs (pairs of a unit's or -1 for a constant's index, and its output) and rates of outputs.
    """
    content = b"SCgf" + struct.pack(">ih", 2, 1) + pstring(name)
    content += struct.pack(">i", len(constants)) + struct.pack(f">{len(constants)}f", *constants)
    content += struct.pack(">i", len(controls))
    content += struct.pack(f">{len(controls)}f", *controls.values())
    content += struct.pack(">i", len(controls))
    for place, control in enumerate(controls):
        content += pstring(control) + struct.pack(">i", place)
    content += struct.pack(">i", len(ugens))
    for unit, rate, special, inputs, outputs in ugens:
        content += pstring(unit) + struct.pack(">biih", rate, len(inputs), len(outputs), special)
        content += b"".join(struct.pack(">ii", *one) for one in inputs) + bytes(outputs)
    return content + struct.pack(">h", 0)


PLAY = ("PlayBuf", 2, 0, [(0, 0), (-1, 1), (-1, 1), (-1, 0), (-1, 0), (-1, 0)], [2])


@pytest.fixture
def ring(tmp_path):
    """A user's SynthDef: the buffer times a control ``level``."""
    path = tmp_path / "ring.scsyndef"
    ugens = [
        ("Control", 1, 0, [], [1, 1]),
        PLAY,
        ("BinaryOpUGen", 2, 2, [(1, 0), (0, 1)], [2]),
        ("Out", 2, 0, [(-1, 0), (2, 0)], []),
    ]
    path.write_bytes(compiled("ring", {"bufnum": 0.0, "level": 0.5}, ugens, (0.0, 1.0)))
    return path


@pytest.fixture
def dice(tmp_path):
    """A user's SynthDef that draws its level at random, as the paper's drew its delays."""
    path = tmp_path / "dice.scsyndef"
    ugens = [
        ("Control", 1, 0, [], [1]),
        PLAY,
        ("Rand", 0, 0, [(-1, 0), (-1, 1)], [0]),
        ("BinaryOpUGen", 2, 2, [(1, 0), (2, 0)], [2]),
        ("Out", 2, 0, [(-1, 0), (3, 0)], []),
    ]
    path.write_bytes(compiled("dice", {"bufnum": 0.0}, ugens, (0.0, 1.0)))
    return path


@needs_scsynth
def test_scipy_equals_scsynth_for_random_and_awkward_delays():
    """Within 1e-4, for delays on, just below and just above whole samples too."""
    random = np.random.default_rng(3)
    delays = random.uniform(0, 0.05, (24, 4)).astype(np.float32)
    whole = np.float32(np.array([1, 2, 160, 161, 333, 799, 800, 640]) / 16_000)
    delays[0], delays[1] = whole[:4], whole[4:]
    delays[2] = np.nextafter(whole[2:6], np.float32(0))
    delays[3] = np.nextafter(whole[2:6], np.float32(1))
    delays[4] = (0, 1e-6, 0.4 / 16_000, 0.05)
    audio = random.uniform(-0.3, 0.3, (24, NOTE_LENGTH)).astype(np.float32)
    decays = random.uniform(0.2, 4, 24).astype(np.float32)
    gains = random.uniform(0.1, 2, 24).astype(np.float32)

    found = render(
        SynthDef.shipped("reverbsynth_reverb"),
        audio,
        [
            {"delays": chain, "decay": decay, "gain": gain, "maxdelay": 0.05}
            for chain, decay, gain in zip(delays, decays, gains, strict=True)
        ],
    )
    expected = np.stack(
        [
            gain * allpass_chain(note, chain, decay)
            for note, chain, decay, gain in zip(audio, delays, decays, gains, strict=True)
        ]
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@needs_scsynth
@pytest.mark.parametrize("delays", ["dataset", "note"])
def test_the_engines_make_the_same_twins(noise, delays):
    parameters = {"delays": delays, "gain": 0.7, "decay": 1.5}
    ours = effect("reverb", {**parameters, "engine": "scipy"}, seed=4)(noise, IDS)
    theirs = effect("reverb", {**parameters, "engine": "supercollider"}, seed=4)(noise, IDS)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-4)


@needs_scsynth
def test_auto_takes_scsynth_and_says_so(noise):
    auto = effect("reverb", {"engine": "auto"})
    assert auto.prepare()["engine"] == "supercollider"
    assert auto.prepare()["version"] == scsynth_version()
    supercollider = effect("reverb", {"engine": "supercollider"})
    np.testing.assert_array_equal(auto(noise, IDS), supercollider(noise, IDS))


@needs_scsynth
def test_a_build_says_which_engine_ran_and_repeats_its_bytes(settings, tmp_path):
    reverb = {"kind": "reverb", "parameters": {"engine": "supercollider"}}
    wanted = settings(**{"data.effects": [{"kind": "dry"}, reverb]})
    first = build_data(wanted, tmp_path / "first")
    assert first.manifest["effects"][1]["engine"] == "supercollider"
    assert first.manifest["effects"][1]["version"].startswith("scsynth 3.")
    assert build_data(wanted, tmp_path / "second").sha256 == first.sha256


@needs_scsynth
def test_a_chain_of_both_engines(noise):
    reverb = EffectSettings(kind="reverb", parameters={"engine": "supercollider"})
    settings = EffectSettings(kind="chain", of=(EffectSettings(kind="delay"), reverb))
    (chain,) = effects([settings], seed=0)
    assert chain.prepare()["engine"] == "scipy supercollider"
    delay, wet = effects(settings.of, seed=0)
    np.testing.assert_array_equal(chain(noise, IDS), wet(delay(noise, IDS), IDS))


@needs_scsynth
def test_a_user_synthdef_takes_its_controls(ring, noise):
    assert SynthDef.load(ring).controls == {"bufnum": 1, "level": 1}
    half = effect("synthdef", {"path": ring})
    assert half.prepare()["engine"] == "supercollider"
    np.testing.assert_array_equal(half(noise, IDS), np.float32(0.5) * noise)
    quarter = effect("synthdef", {"path": ring, "controls": {"level": 0.25}, "gain": 2})
    np.testing.assert_array_equal(quarter(noise, IDS), np.float32(0.5) * noise)


@needs_scsynth
def test_random_numbers_of_a_synthdef_are_seeded_for_each_note(dice, noise):
    same = np.repeat(noise[:1], 3, axis=0)
    drawn = effect("synthdef", {"path": dice}, seed=1)(same, IDS)
    levels = np.abs(drawn).max(axis=1)
    assert len(set(levels.tolist())) == 3
    np.testing.assert_array_equal(drawn, effect("synthdef", {"path": dice}, seed=1)(same, IDS))
    alone = effect("synthdef", {"path": dice}, seed=1)(same[:1], ["b"])
    np.testing.assert_array_equal(alone[0], drawn[1])
    assert np.all(
        levels != np.abs(effect("synthdef", {"path": dice}, seed=2)(same, IDS)).max(axis=1)
    )


@needs_scsynth
def test_a_synthdef_with_an_unknown_unit_is_one_line(tmp_path, noise):
    path = tmp_path / "strange.scsyndef"
    ugens = [("Control", 1, 0, [], [1]), PLAY, ("NoSuchUnit", 2, 0, [(1, 0)], [2])]
    path.write_bytes(compiled("strange", {"bufnum": 0.0}, ugens, (0.0, 1.0)))
    with pytest.raises(ReverbSynthError, match="scsynth: strange: ") as raised:
        effect("synthdef", {"path": path})(noise, IDS)
    assert "\n" not in str(raised.value)


def test_without_scsynth_the_error_says_what_to_install(monkeypatch, noise):
    monkeypatch.setattr("reverbsynth.effects.supercollider.score.shutil.which", lambda place: None)
    scsynth_version.cache_clear()
    wanted = effect("reverb", {"engine": "supercollider"})
    with pytest.raises(ReverbSynthError, match="scsynth: not found, install "):
        wanted.prepare()
    with pytest.raises(ReverbSynthError, match="scsynth: not found"):
        wanted(noise, IDS)
    auto = effect("reverb", {"engine": "auto"})
    assert auto.prepare()["engine"] == "scipy"
    np.testing.assert_array_equal(auto(noise, IDS), effect("reverb")(noise, IDS))
    scsynth_version.cache_clear()


def test_the_shipped_synthdefs_have_the_controls_we_set():
    reverb = SynthDef.shipped("reverbsynth_reverb")
    assert reverb.name == "reverbsynth_reverb"
    assert reverb.controls == {
        "bufnum": 1,
        "out": 1,
        "gain": 1,
        "maxdelay": 1,
        "decay": 1,
        "delays": 4,
    }
    assert reverb.content.count(b"\x08AllpassN") == 4
    assert SynthDef.shipped("reverbsynth_seed").controls == {"seed": 1}


def test_the_source_of_the_shipped_synthdefs_is_shipped():
    source = (SHIPPED / "synthdefs.scd").read_text()
    for path in SHIPPED.glob("*.scsyndef"):
        assert f"SynthDef(\\{SynthDef.load(path).name}" in source


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        (
            {"loudness": 1.0},
            "controls.loudness: found 1.0, but SynthDef ring takes none of",
        ),
        (
            {"level": [1.0, 2.0]},
            r"controls.level: found \[1.0, 2.0\], but SynthDef ring takes 1",
        ),
        ({"bufnum": 3.0}, "controls.bufnum: found 3.0"),
    ],
)
def test_wrong_controls_are_one_line(ring, controls, message):
    with pytest.raises(ReverbSynthError, match=message):
        effect("synthdef", {"path": ring, "controls": controls}).prepare()


def test_a_synthdef_without_a_buffer(tmp_path):
    path = tmp_path / "tone.scsyndef"
    path.write_bytes(compiled("tone", {"freq": 440.0}, []))
    with pytest.raises(ReverbSynthError, match="SynthDef tone has no control bufnum"):
        effect("synthdef", {"path": path}).prepare()


@given(data=st.data())
@hypothesis_settings(max_examples=500, deadline=None)
def test_arbitrary_synthdefs_are_read_or_one_line(tmp_path_factory, attempt, data):
    content = (SHIPPED / "reverbsynth_reverb.scsyndef").read_bytes()
    way = data.draw(st.sampled_from(["any", "cut", "change"]))
    if way == "any":
        content = b"SCgf\x00\x00\x00\x02" + data.draw(st.binary(max_size=200))
    elif way == "cut":
        content = content[: data.draw(st.integers(0, len(content)))]
    else:
        at = data.draw(st.integers(0, len(content) - 1))
        content = content[:at] + data.draw(st.binary(max_size=8)) + content[at + 4 :]
    path = tmp_path_factory.mktemp("synthdefs") / "some.scsyndef"
    path.write_bytes(content)
    synthdef, message = attempt(lambda: SynthDef.load(path))
    if synthdef is None:
        assert "some.scsyndef: not a compiled SynthDef" in message
        assert "\n" not in message
    else:
        assert synthdef.name
        assert all(size >= 1 for size in synthdef.controls.values())
