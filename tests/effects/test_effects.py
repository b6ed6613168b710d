from typing import ClassVar

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.audio.reverberation import fit_decay
from reverbsynth.effects import Effect, described, effect, effects, kinds
from reverbsynth.effects.filters import allpass, allpass_chain, recirculate, whole_samples
from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import EffectSettings, Settings

IDS = ("a", "b", "c")


@pytest.fixture
def room(tmp_path):
    """A file with a decaying impulse response, in stereo at another rate."""
    random = np.random.default_rng(0)
    response = random.normal(size=(22_050, 2)) * np.exp(-np.arange(22_050) / 4000)[:, None]
    path = tmp_path / "room.wav"
    soundfile.write(path, 0.2 * response, 44_100)
    return path


@pytest.fixture
def every(room):
    """One effect of each kind that needs nothing installed."""
    return [
        effect("dry"),
        effect("reverb"),
        effect("reverb", {"delays": "note"}),
        effect("convolution", {"path": room}),
        effect("chorus"),
        effect("delay"),
        effect("distortion"),
    ]


def test_all_kinds_are_found():
    built_in = {"dry", "reverb", "convolution", "chorus", "delay", "distortion", "synthdef"}
    assert built_in <= set(kinds())


def test_a_new_effect_is_one_class(noise):
    class Louder(Effect):
        kind: ClassVar[str] = "louder"
        factor: float = 2.0

        def process(self, audio, ids):
            return self.factor * audio

    np.testing.assert_array_equal(
        effect("louder", {"factor": 3})(noise, IDS), np.float32(3) * noise
    )


def test_an_effect_that_changes_the_length_is_told(noise):
    class Shorter(Effect):
        kind: ClassVar[str] = "shorter"

        def process(self, audio, ids):
            return audio[:, :-1]

    with pytest.raises(ReverbSynthError, match=r"effect shorter: made shape \(3, 63999\) of"):
        effect("shorter")(noise, IDS)


def test_shape_kind_and_repeat(every, noise):
    for one in every:
        wet = one(noise, IDS)
        assert wet.shape == noise.shape
        assert wet.dtype == np.float32
        assert np.isfinite(wet).all()
        np.testing.assert_array_equal(wet, one(noise, IDS))


def test_a_note_does_not_depend_on_its_neighbours(every, noise):
    for one in every:
        alone = np.concatenate([one(noise[[n]], [IDS[n]]) for n in (2, 0, 1)])[[1, 2, 0]]
        np.testing.assert_array_equal(one(noise, IDS), alone)


def test_gain_is_a_factor(noise):
    loud = effect("reverb", {"gain": 2.0})(noise, IDS)
    np.testing.assert_array_equal(loud, 2 * effect("reverb")(noise, IDS))


def test_dry_is_the_note(noise):
    np.testing.assert_array_equal(effect("dry")(noise, IDS), noise)


def test_seeds_and_names_decide_the_delays():
    same = effect("reverb", seed=1, name="a").draw()
    np.testing.assert_array_equal(same, effect("reverb", seed=1, name="a").draw())
    for seed, name in ((2, "a"), (1, "b")):
        assert np.all(same != effect("reverb", seed=seed, name=name).draw())
    assert np.all((same >= 0) & (same <= 0.05))
    assert same.dtype == np.float32


def test_delays_are_drawn_once_or_for_every_note(noise):
    same = np.repeat(noise[:1], 2, axis=0)
    once = effect("reverb", {"delays": "dataset"})(same, ["a", "b"])
    np.testing.assert_array_equal(once[0], once[1])
    anew = effect("reverb", {"delays": "note"})(same, ["a", "b"])
    assert np.abs(anew[0] - anew[1]).max() > 0.01


@given(st.integers(1, 400), st.floats(0.2, 3), st.integers(1, 900))
@hypothesis_settings(max_examples=60, deadline=None)
def test_allpass_is_the_difference_equation(period, decay, samples):
    """Against a filter with all its zero taps written out."""
    wave = np.random.default_rng(samples).normal(size=samples)
    delay = np.float32(period / 16_000 + 1e-5)
    g = 10 ** (-3 * float(delay) / decay)
    zeros = [0.0] * (period - 1)
    expected = lfilter([-g, *zeros, 1.0], [1.0, *zeros, -g], wave)
    np.testing.assert_allclose(allpass(wave, delay, decay), expected, atol=1e-12)


def test_allpass_keeps_the_energy_of_every_frequency():
    impulse = np.zeros(16 * NOTE_LENGTH)
    impulse[0] = 1
    response = allpass_chain(impulse, [0.011, 0.019, 0.031, 0.043], decay=1.0)
    np.testing.assert_allclose(np.abs(np.fft.rfft(response)), 1, atol=1e-4)


def test_delays_are_rounded_towards_zero_and_to_at_least_one():
    assert [whole_samples(n / 16_000) for n in (0, 0.5, 1, 1.99, 2, 800)] == [1, 1, 1, 1, 2, 800]


def test_recirculate_keeps_the_length_it_was_given():
    wave = np.arange(10.0)
    np.testing.assert_array_equal(recirculate(wave, 3, [0.0, 1.0], [1.0]), [0, 0, 0, *range(7)])


def test_the_decay_follows_the_setting():
    times = [
        fit_decay(effect("reverb", {"decay": decay}).impulse_response(), straightness=0).seconds
        for decay in (0.5, 1.0, 2.0)
    ]
    assert times[0] < 0.7 * times[1] < 0.7 * 0.7 * times[2]


def test_delay_echoes(noise):
    echo = effect("delay", {"time": 0.25, "feedback": 0.6, "mix": 0.3})
    response = echo.impulse_response()
    assert np.flatnonzero(response).tolist() == list(range(0, NOTE_LENGTH, 4000))
    np.testing.assert_allclose(response[:16_000:4000], [0.7, 0.3, 0.18, 0.108], rtol=1e-6)


def test_distortion_adds_harmonics_below_full_scale():
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(NOTE_LENGTH) / 16_000)[None].astype(np.float32)
    wet = effect("distortion", {"drive": 10})(tone, ["a"])
    power = np.square(np.abs(np.fft.rfft(wet[0] * np.hanning(NOTE_LENGTH))))
    third, fold = power[12_000 - 3 : 12_000 + 4].max(), power[2 * 4000 - 3 : 2 * 4000 + 4].max()
    assert third > 1e-3 * power.max()
    assert fold < 1e-9 * power.max()
    assert np.abs(wet).max() < 1.05


@pytest.mark.parametrize("drive", [0.5, 2.0, 8.0])
def test_distortion_bends_levels_by_its_drive(drive):
    """Full scale stays full scale."""
    for level in (0.1, 0.5, 1.0):
        held = np.full((1, NOTE_LENGTH), level, np.float32)
        found = effect("distortion", {"drive": drive})(held, ["a"])[0, 1000:-1000]
        np.testing.assert_allclose(found, np.tanh(drive * level) / np.tanh(drive), rtol=2e-3)


def test_chorus_wavers_within_its_depth():
    chorus = effect("chorus", {"voices": 1, "mix": 1.0, "delay": 0.01, "depth": 0.002})
    arrivals = []
    for start in range(0, 48_000, 4000):
        impulse = np.zeros((1, NOTE_LENGTH), np.float32)
        impulse[0, start] = 1
        arrivals.append((np.argmax(chorus(impulse, ["a"])[0]) - start) / 16_000)
    assert 0.0078 < min(arrivals) < 0.009 < 0.011 < max(arrivals) < 0.0122


def test_chorus_swings_by_its_rate_and_each_voice_by_a_phase_of_its_own():
    def arrivals(start, **parameters):
        swing = {"mix": 1.0, "delay": 0.01, "depth": 0.002, **parameters}
        impulse = np.zeros((1, NOTE_LENGTH), np.float32)
        impulse[0, start] = 1
        return np.flatnonzero(effect("chorus", swing)(impulse, ["a"])[0] > 0.1) - start

    assert len(arrivals(8000, voices=1)) <= 2
    several = arrivals(8000, voices=3)
    assert several.max() - several.min() > 8
    # Of two swings a second, half a second is one.
    early, half, later = (arrivals(at, voices=1, rate=2.0).mean() for at in (8000, 12_000, 16_000))
    assert abs(later - early) < 1
    assert abs(half - early) > 1


def test_convolution_is_the_sum_of_its_echoes(tmp_path, noise):
    path = tmp_path / "two.wav"
    response = np.zeros(4000)
    response[[0, 3000]] = (0.6, 0.8)
    soundfile.write(path, response, 16_000, "FLOAT")
    wet = effect("convolution", {"path": path, "normalize": False})(noise, IDS)
    expected = 0.6 * noise
    expected[:, 3000:] += 0.8 * noise[:, :-3000]
    part = effect("convolution", {"path": path, "normalize": False, "mix": 0.25})(noise, IDS)
    np.testing.assert_allclose(part, 0.75 * noise + 0.25 * expected, atol=1e-5)
    np.testing.assert_allclose(wet, expected, atol=1e-6)


@pytest.mark.parametrize(("gain", "at", "hz"), [(0.5, 0.01, 200), (1.5, 0.01, 200), (1.0, 0, 6000)])
@pytest.mark.parametrize("normalize", [False, True])
def test_a_response_does_the_same_at_any_rate(tmp_path, gain, at, hz, normalize):
    """Also one beyond full scale, which a file of floats can hold, and one that begins at once."""
    tone = np.sin(2 * np.pi * hz * np.arange(64_000) / 16_000, dtype=np.float32)[None]
    levels = []
    for rate in (16_000, 48_000):
        response = np.zeros(rate)
        response[round(at * rate)] = gain
        soundfile.write(tmp_path / f"{rate}.wav", response, rate, "FLOAT")
        parameters = {"path": tmp_path / f"{rate}.wav", "normalize": normalize}
        wet = effect("convolution", parameters)(tone, ["a"])
        levels.append(np.std(wet[:, 8000:]) / np.std(tone))
    assert levels == pytest.approx([1 if normalize else gain] * 2, rel=0.03)


def test_normalized_convolution_keeps_the_level_of_noise(room, noise):
    wet = effect("convolution", {"path": room})(noise, IDS)
    assert np.std(wet) == pytest.approx(np.std(noise), rel=0.1)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("revreb", {}, "found kind 'revreb', expected one of .*; did you mean reverb"),
        (
            "reverb",
            {"dekay": 1},
            "parameter dekay: no such parameter; did you mean decay",
        ),
        ("reverb", {"decay": -1}, "parameter decay: found -1, expected greater than 0"),
        ("reverb", {"decay": "long"}, "parameter decay: found 'long'"),
        ("reverb", {"engine": "csound"}, "parameter engine: found 'csound'"),
        (
            "reverb",
            {"engine": "supercollider", "stages": 3},
            "effect reverb: parameter stages: found 3, expected 4",
        ),
        ("reverb", {"name": "x"}, "found name among the parameters"),
        ("chain", {"of": [{"gain": 2}]}, "found of among the parameters, expected it beside kind"),
        ("reverb", {"gain": float("nan")}, "parameter gain: found nan"),
        ("chorus", {"depth": 0.1}, r"parameter depth: found 0.1, expected at most delay \(0.02\)"),
        ("convolution", {}, "effect convolution: parameter path: missing"),
        ("delay", {"time": 4}, "parameter time: found 4, expected less than 4"),
    ],
)
def test_mistakes_are_one_line(kind, parameters, message):
    with pytest.raises(ReverbSynthError, match=message) as raised:
        effect(kind, parameters)
    assert "\n" not in str(raised.value)


def test_a_missing_or_silent_impulse_response(tmp_path):
    with pytest.raises(ReverbSynthError, match=r"gone\.wav: cannot be read"):
        effect("convolution", {"path": tmp_path / "gone.wav"}).prepare()
    soundfile.write(tmp_path / "zero.wav", np.zeros(100), 16_000)
    with pytest.raises(ReverbSynthError, match=r"zero\.wav: is silent"):
        effect("convolution", {"path": tmp_path / "zero.wav"}).prepare()


def test_a_chain_applies_its_effects_in_order(noise, room):
    parts = [
        EffectSettings(kind="distortion"),
        EffectSettings(kind="reverb", parameters={"delays": "note"}),
        EffectSettings(kind="convolution", parameters={"path": str(room), "gain": 0.5}),
    ]
    settings = EffectSettings(kind="chain", of=tuple(parts), parameters={"gain": 2.0})
    (chain,) = effects([settings], seed=3)
    assert chain.name == "distortion+reverb+convolution"
    expected = noise
    for part in effects(parts, seed=3):
        expected = part(expected, IDS)
    np.testing.assert_array_equal(chain(noise, IDS), 2 * expected)
    told = described(chain)
    assert (told["engine"], list(told["inputs"])) == ("scipy", [str(room)])
    assert [part["kind"] for part in told["of"]] == ["distortion", "reverb", "convolution"]
    assert len(chain.impulse_response()) == NOTE_LENGTH


def test_a_chain_s_seed_is_that_of_its_parts():
    parts, seeded = (EffectSettings(kind="reverb"),), {"seed": 9}
    wanted = [
        EffectSettings(kind="reverb", parameters=seeded),
        EffectSettings(kind="chain", of=parts, parameters=seeded),
        EffectSettings(kind="chain", of=parts),
    ]
    alone, one, other = (each.impulse_response() for each in effects(wanted, 0))
    np.testing.assert_array_equal(one, alone)
    assert (one != other).any()


def test_chains_of_chains_and_mistakes_in_them():
    inner = {"kind": "chain", "of": [{"kind": "dry"}, {"kind": "delay"}]}
    wanted = Settings.preset("tiny", **{"data.effects": [{**inner, "name": "echo"}]})
    (chain,) = effects(wanted.data.effects, 0)
    assert (chain.name, [part.kind for part in chain.of]) == ("echo", ["dry", "delay"])
    twice = {"kind": "chain", "of": [inner, {"kind": "reverb"}]}
    assert Settings.preset("tiny", **{"data.effects": [twice]}).data.effects[0].label == (
        "dry+delay+reverb"
    )
    dry = EffectSettings(kind="dry")
    for kind, of, message in (
        ("chain", (), "effect chain: parameter of: missing"),
        ("delay", (dry,), "effect delay: parameter of: no such parameter"),
        ("chain", (EffectSettings(kind="revreb"),), "found kind 'revreb'"),
    ):
        with pytest.raises(ReverbSynthError, match=message):
            effects([EffectSettings(kind=kind, of=of)], 0)


def test_settings_without_a_chain_keep_their_hash():
    """As they were before there were chains."""
    settings = EffectSettings(kind="reverb", parameters={"decay": 2})
    assert settings.model_dump() == {"kind": "reverb", "name": None, "parameters": {"decay": 2}}


def test_settings_make_the_effects_in_order():
    made = effects(
        [
            EffectSettings(kind="dry"),
            EffectSettings(kind="reverb", name="hall", parameters={"decay": 3, "seed": 5}),
        ],
        seed=1,
    )
    assert [(one.name, one.seed) for one in made] == [("dry", 1), ("hall", 5)]
    assert made[1].decay == 3


def test_a_reverbs_delays_are_as_many_and_as_long_as_asked():
    drawn = effect("reverb", {"stages": 40, "max_delay": 0.01}).draw()
    assert drawn.shape == (40,)
    assert 0.005 < drawn.max() <= 0.01
