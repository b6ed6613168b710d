import numpy as np
import pytest

from reverbsynth.audio.reverberation import (
    OCTAVES,
    T20,
    audible,
    decay_by_octave,
    energy_decay,
    fit_decay,
    octave_band,
)
from reverbsynth.effects import effect

TIME = np.arange(64_000) / 16_000


def decaying_noise(seconds, seed=0):
    """Noise that falls by 60 dB in so many seconds."""
    return np.random.default_rng(seed).normal(size=64_000) * 10 ** (-3 * TIME / seconds)


def decay_time(response, levels=T20):
    return fit_decay(response, levels, straightness=0).seconds


def test_the_decay_curve_of_an_exponential_is_a_line():
    curve = energy_decay(10 ** (-3 * TIME / 1.5))
    assert curve[0] == 0
    np.testing.assert_allclose(curve[:24_000], -60 * TIME[:24_000] / 1.5, atol=1e-3)
    assert np.all(np.diff(curve) <= 0)


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1.0, 2.5, 5.0])
def test_a_pure_exponential_is_measured_exactly(seconds):
    assert decay_time(10 ** (-3 * TIME / seconds)) == pytest.approx(seconds, rel=2e-3)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 4.0])
def test_decaying_noise(seconds):
    assert decay_time(decaying_noise(seconds)) == pytest.approx(seconds, rel=0.03)


def test_levels_of_the_fit_choose_the_part_of_a_double_slope():
    """60 dB in 0.2 s down to about -20 dB, then in 2 s."""
    response = 10 ** (-3 * TIME / 0.2) + 0.03 * 10 ** (-3 * TIME / 2.0)
    assert decay_time(response, (-1, -10)) < 0.35
    assert decay_time(response, (-30, -50)) == pytest.approx(2.0, rel=0.05)


def test_decays_that_cannot_be_measured_are_nan():
    assert np.isnan(decay_time(10 ** (-3 * TIME / 30)))
    impulse = np.zeros(1000)
    impulse[0] = 1
    assert np.isnan(decay_time(impulse))


def test_each_octave_has_its_own_decay():
    slow, fast = (
        octave_band(decaying_noise(2.0), 250.0),
        octave_band(decaying_noise(0.4, 1), 2000.0),
    )
    times = decay_by_octave(slow + fast)
    assert tuple(times) == OCTAVES
    assert times[250.0] == pytest.approx(2.0, rel=0.15)
    assert times[2000.0] == pytest.approx(0.4, rel=0.15)


def test_octave_bands_pass_their_center_and_stop_the_next():
    for center in OCTAVES:
        tone = np.sin(2 * np.pi * center * TIME)
        inside = slice(8000, 56_000)
        assert np.std(octave_band(tone, center)[inside]) == pytest.approx(np.std(tone), rel=0.01)
        if center < 4000:
            assert np.std(octave_band(tone, 2 * center)[inside]) < 0.1 * np.std(tone)


def test_the_paper_reverb_decays_in_more_than_its_setting():
    """Four filters in series, each with a decay of 1 s, ring longer than one of them."""
    assert 1.0 < decay_time(effect("reverb").impulse_response()) < 2.0


def test_impulse_responses():
    dry = effect("dry").impulse_response()
    assert dry.shape == (64_000,)
    assert dry[0] == 1
    assert not dry[1:].any()
    anew = effect("reverb", {"delays": "note"})
    assert np.abs(anew.impulse_response("a") - anew.impulse_response("b")).max() > 0.01


@pytest.mark.parametrize("offset", [0.01, -0.3])
def test_a_constant_is_not_audible(offset):
    assert np.abs(audible(np.full(64_000, offset))).max() < 1e-12
    wave = decaying_noise(1.0)
    np.testing.assert_allclose(audible(wave + offset), audible(wave), atol=1e-9)


@pytest.mark.parametrize("hz", [41.2, 98.0, 1000.0])
def test_what_is_audible_keeps_its_level(hz):
    tone = np.sin(2 * np.pi * hz * TIME)
    inside = slice(8000, 56_000)
    assert np.std(audible(tone)[inside]) == pytest.approx(np.std(tone[inside]), rel=0.01)
    assert np.std(audible(np.sin(2 * np.pi * 5 * TIME))[inside]) < 0.01


def test_the_end_of_an_offset_rings_backwards_only():
    wave = np.where(TIME < 3.0, 0.2, 0.0)
    assert np.abs(audible(wave)[48_000:]).max() < 1e-12
