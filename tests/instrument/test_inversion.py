"""Learned effects for recordings: the search, what it reports, and what it refuses."""

import numpy as np
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from reverbsynth.cli.apply import apply
from reverbsynth.errors import ReverbSynthError
from reverbsynth.instrument.apply import prepared
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.inversion import level_of
from tests.instruments import untrained

app = typer.Typer()
app.command()(apply)


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    """An untrained instrument whose images are no spectrograms of any sound."""
    labels = {"pitch": range(40, 45), "effect": ["dry", "reverb"]}
    return untrained(labels, 4, seed=1, latent_size=32, filters_base=256, filters_max=16)


@pytest.fixture(scope="module")
def note(instrument) -> np.ndarray:
    wave = instrument.notes([41], seed=3, effect="reverb")[0]
    return wave / np.abs(wave).max()


def test_a_note_the_instrument_drew_is_found_again(instrument, monkeypatch):
    """The search by itself: the image is given, so that a perfect answer exists."""
    z = instrument.latents(20, 3)
    images = instrument.images([41] * 20, z=z, effect="reverb")[:, ::16, ::16, 0]
    search = instrument.inversion
    monkeypatch.setattr(search, "_target", lambda recording: images[:1])
    found = search.fit(np.empty(0), 41, {}, seed=0, starts=8, steps=300)
    others = 10 / np.log(10) * np.sqrt(np.mean((images[1:] - images[0]) ** 2, axis=(1, 2)))
    assert found.error == found.errors.min()
    assert found.error < 0.3 * others.min()
    assert sum(found.labels["effect"].values()) == pytest.approx(1)


def test_a_recording_is_followed_better_than_by_chance(instrument, note):
    found = instrument.apply_effect(note, "reverb", pitch=41, steps=100, gain=1.0, onset=0)
    search = instrument.inversion
    rng = np.random.default_rng(1)
    chance = search._losses(
        rng.standard_normal((20, 39), np.float32), search._target(note), *search._fixed(41, {})
    )
    assert found.fit.error < 0.8 * 10 / np.log(10) * np.sqrt(np.min(chance))


@pytest.mark.parametrize("key_shares", [False, True])
def test_a_pitch_told_as_a_number_is_given_to_the_search(key_shares):
    labels = {"pitch": range(40, 45), "effect": ["dry", "reverb"]}
    instrument = untrained(
        *(labels, 4),
        **{"latent_size": 8, "timbres": 3, "filters_base": 256, "filters_max": 16},
        pitch_input="harmonic",
        key_shares=key_shares,
    )
    fixed, free = instrument.inversion._fixed(41.5, {})
    keys = [0, 0.5, 0.5, 0, 0] if key_shares else []
    assert fixed.tolist() == [[41.5, *keys, 0, 0]]
    assert free.tolist() == [[0, *[0] * len(keys), 1, 1]]
    wave = instrument.notes([41.5], seed=3, effect="reverb")[0]
    found = instrument.apply_effect(wave, {"dry": 0.4, "reverb": 0.6}, 41.5, starts=2, steps=2)
    assert set(found.fit.labels["effect"]) == {"dry", "reverb"}
    again = instrument.notes([41.5], z=found.fit.z, **found.fit.labels)[0]
    assert np.allclose(found.reconstruction[found.onset :] * found.gain, again, 1e-4, 1e-6)
    assert "pitch: 41.5" in found.text()


def test_the_report_is_about_what_is_returned(instrument, note):
    seen = []
    found = instrument.apply_effect(
        *(note[:50_000], "reverb", 41),
        **{"starts": 2, "steps": 3, "gain": 1.0, "onset": 0},
        progress=lambda *at: seen.append(at),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert found.recording.shape == found.audio.shape == (64_000,)
    assert not found.recording[50_000:].any()
    again = instrument.notes([41], z=found.fit.z, **found.fit.labels)[0]
    assert np.array_equal(found.reconstruction, again)
    wet = instrument.notes([41], z=found.fit.z, effect="reverb")[0]
    assert np.array_equal(found.audio, found.change.apply(found.recording, wet))
    assert found.report["image error (dB)"] == found.fit.error
    assert found.report["log-spectral distance of the reconstruction (dB)"] > 0
    assert "pitch: 41" in found.text()


def test_level_and_onset_do_not_matter_and_are_given_back(instrument, note):
    soft_and_late = np.concatenate([np.zeros(4_800), note / 16])
    first, second = (
        instrument.apply_effect(audio, "reverb", pitch=41, starts=2, steps=3)
        for audio in (note, soft_and_late)
    )
    assert second.onset == first.onset + 4_800
    assert second.gain == 16 * first.gain
    assert second.report == pytest.approx(first.report, rel=1e-5, nan_ok=True)
    assert second.audio.shape == (second.onset + 64_000,)
    np.testing.assert_allclose(16 * second.audio[4_800:], first.audio, rtol=1e-3, atol=1e-5)
    assert not second.audio[: second.onset].any()
    assert f"onset: {second.onset / 16_000:.3f} s" in second.text()
    assert prepared(np.pad(note, (24_000, 0)) + 0.005)[1] == first.onset + 24_000
    images = instrument.images([41] * 40, seed=9, effect=["dry", "reverb"] * 20)[..., ::16, ::16, 0]
    usual = np.log(np.exp(images.astype(float)).sum(axis=(1, 2)))
    level = level_of(instrument.inversion._target(first.gain * note))
    assert usual.min() < level < usual.max()


def test_the_effect_it_was_recorded_with_can_be_told(instrument, note):
    found = instrument.apply_effect(
        note, "dry", pitch=41, starts=1, steps=1, own_effect="reverb", gain=1.0, onset=0
    )
    assert found.fit.labels == {"effect": "reverb"}
    played = instrument.notes([41], z=found.fit.z, effect="reverb")[0]
    assert np.array_equal(found.reconstruction, played)


def test_the_effect_that_it_has_leaves_a_recording_as_it_was(instrument, note):
    found = instrument.apply_effect(
        note, "reverb", pitch=41, starts=1, steps=1, own_effect="reverb", gain=1.0, onset=0
    )
    np.testing.assert_allclose(found.audio, note, atol=1e-5)


def test_the_same_seed_finds_the_same_note(instrument, note):
    first, second, other = (
        instrument.apply_effect(note, "dry", pitch=41, seed=seed, starts=2, steps=5)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first.audio, second.audio)
    assert not np.array_equal(first.audio, other.audio)


def test_the_pitch_is_estimated(instrument):
    seconds = np.arange(64_000) / 16_000
    hz = 440 * 2 ** ((43 - 69) / 12)
    tone = sum(np.sin(2 * np.pi * hz * k * seconds) / k for k in range(1, 9)) / 3
    found = instrument.apply_effect(tone, {"dry": 0.5, "reverb": 0.5}, starts=1, steps=1)
    assert found.pitch == 43


@pytest.mark.parametrize(
    ("audio", "options", "message"),
    [
        (np.zeros(64_000), {}, "audio: is silent, expected a note"),
        (np.full(64_000, np.nan), {}, "audio: holds NaN"),
        (np.ones((2, 100)), {}, r"audio: found shape \(2, 100\)"),
        (np.ones(64_000), {"pitch": 90}, "pitch: found 90, expected 40 to 44"),
        (np.ones(64_000), {"effect": "hall"}, "effect: found hall, expected one of dry, reverb"),
        (np.ones(64_000), {"instrument": "harp"}, "label 'instrument': this instrument has"),
        (np.ones(64_000), {"own_effect": "hall"}, "effect: found hall, expected one of dry"),
        (np.ones(64_000), {"seed": -1}, "seed: found -1, expected a whole number from 0"),
        (np.ones(64_000), {"onset": -1}, "onset: found -1, expected a sample from 0"),
        (np.ones(64_000), {"gain": 0}, "gain: found 0, expected a factor above 0"),
        (np.ones(64_000), {"starts": 0}, "starts: found 0, expected 1 or more"),
    ],
)
def test_what_cannot_be_done_is_one_line(instrument, audio, options, message):
    with pytest.raises(ReverbSynthError, match=message) as error:
        instrument.apply_effect(audio, **{"effect": "reverb", "pitch": 41, **options})
    assert "\n" not in str(error.value)


def test_an_instrument_without_effects_says_so(fixtures):
    original = Instrument.from_original(fixtures / "original_run")
    with pytest.raises(ReverbSynthError, match="label 'effect': this instrument has pitch"):
        original.apply_effect(np.ones(64_000), "reverb")


def test_the_command(instrument, note, tmp_path):
    instrument.save(tmp_path / "bass.safetensors")
    soundfile.write(tmp_path / "in.wav", note, 16_000)
    call = [tmp_path / "bass.safetensors", tmp_path / "in.wav", "-o", tmp_path / "out.flac"]
    call += ["--pitch", 41, "--starts", 2, "--steps", 2]
    done = CliRunner().invoke(app, [*map(str, call), "--effect", "dry=0.25,reverb=0.75"])
    assert done.exit_code == 0, done.output
    assert "log-spectral distance of the reconstruction" in done.output
    assert 64_000 <= len(soundfile.read(tmp_path / "out.flac")[0]) < 65_000
    late, rate = tmp_path / "late.wav", 16_000
    soundfile.write(late, np.pad(note, (58 * rate, 0)), rate)
    done = CliRunner().invoke(app, [str(call[0]), str(late), *map(str, call[2:]), "--effect=dry"])
    heard = soundfile.read(tmp_path / "out.flac")[0][60 * rate :]
    assert done.exit_code == 0, done.output
    assert np.abs(heard).max() > 0.01
    call[3] = call[1]
    before = call[1].read_bytes()
    own = CliRunner().invoke(app, [*map(str, call), "--effect", "dry"])
    assert "in.wav: is the recording itself, expected another --output" in str(own.exception)
    assert call[1].read_bytes() == before
    wrong = CliRunner().invoke(app, [*map(str, call), "--effect", "hall"])
    assert isinstance(wrong.exception, ReverbSynthError)
    missing = CliRunner().invoke(app, [str(call[0]), "none.wav", "--effect", "dry"])
    assert "none.wav: cannot be read" in str(missing.exception)


def test_what_is_known_of_a_recording_is_not_what_is_asked_for(
    instrument, note, tmp_path, monkeypatch
):
    instrument.save(tmp_path / "bass.safetensors")
    soundfile.write(tmp_path / "in.wav", note, 16_000)
    seen = {}

    def stop(self, audio, effect, **options):
        seen.update(options, effect=effect)
        raise ReverbSynthError("seen")

    monkeypatch.setattr(Instrument, "apply_effect", stop)
    call = [str(tmp_path / "bass.safetensors"), str(tmp_path / "in.wav"), "--effect=reverb"]
    CliRunner().invoke(app, [*call, "--label=effect=dry=0.5,reverb=0.5"])
    assert seen["effect"] == "reverb"
    assert seen["own_effect"] == {"dry": 0.5, "reverb": 0.5}
