"""Decay times of tails whose decay is known."""

import numpy as np
import pytest

from reverbsynth.audio import tails
from reverbsynth.audio.format import NOTE_LENGTH, NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.reverberation import (
    BENT,
    EDT,
    PLATEAU,
    SHORT,
    STRAIGHTNESS,
    fit_decay,
)

TIME = np.arange(NOTE_LENGTH) / SAMPLE_RATE
TAIL = slice(int(NOTE_OFF * SAMPLE_RATE), None)
DECAYS = (0.2, 0.3, 0.5, 0.8, 1.2, 1.6, 2.0)


def released(seconds: float) -> np.ndarray:
    """Envelope of a note that is held, then falls by 60 dB in so many seconds."""
    return 10 ** (-3 * np.maximum(TIME - NOTE_OFF, 0) / seconds)


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=NOTE_LENGTH)


@pytest.mark.parametrize("seconds", DECAYS)
@pytest.mark.parametrize("hz", [41.2, 98.0, 440.0])
def test_t20_of_a_tone(seconds, hz):
    wave = np.sin(2 * np.pi * hz * TIME + 1) * released(seconds)
    found = fit_decay(wave[TAIL])
    assert found.missing_reason == ""
    assert found.seconds == pytest.approx(seconds, rel=0.01)
    assert found.r2 > 0.995


@pytest.mark.parametrize("seconds", DECAYS)
def test_t20_of_noise(seconds):
    found = [fit_decay((noise(seed) * released(seconds))[TAIL]).seconds for seed in range(5)]
    # A single draw of 0.2 s has a standard deviation of 2.5 % (ISO 3382-1, equation 6).
    assert np.mean(found) == pytest.approx(seconds, rel=0.03)
    assert found[0] == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 3.0, 5.0])
def test_early_decay_time(seconds):
    found = fit_decay((noise() * released(seconds))[TAIL], EDT)
    assert found.seconds == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize("seconds", DECAYS)
def test_whole_notes_are_measured_as_their_tails(seconds):
    found = tails.measure_tails((0.1 * noise() * released(seconds))[np.newaxis].astype(np.float32))
    assert found.t20[0] == pytest.approx(seconds, rel=0.05)
    assert found.decays[0]
    assert found.octaves.shape == (1, 7)
    # 500 Hz to 4 kHz: wide enough for noise to be measured within so much.
    assert found.octaves[0, 3:] == pytest.approx(np.full(4, seconds), rel=0.25)


def plateaus() -> dict[str, np.ndarray]:
    fade = np.minimum((4 - TIME) / 0.1, 1)
    return {
        "noise": noise(),
        "tone": np.sin(2 * np.pi * 110 * TIME),
        "faded out": noise() * fade,
        "after a drop": noise() * np.where(TIME < NOTE_OFF + 0.02, 1, 0.05),
        "under a decay": noise() * released(0.3) + 0.03 * noise(1),
    }


@pytest.mark.parametrize("name", plateaus())
def test_a_plateau_is_no_decay(name):
    found = fit_decay(plateaus()[name][TAIL])
    assert found.missing_reason == PLATEAU
    assert np.isnan(found.seconds)


@pytest.mark.parametrize("name", ["noise", "tone", "faded out"])
def test_a_plateau_has_no_early_decay(name):
    assert fit_decay(plateaus()[name][TAIL], EDT).missing_reason == PLATEAU


def test_a_decay_onto_a_floor_is_not_straight():
    found = fit_decay((noise() * released(0.3) + 0.01 * noise(1))[TAIL])
    assert found.missing_reason == BENT
    assert np.isnan(found.seconds)
    assert found.r2 < STRAIGHTNESS


def test_a_decay_longer_than_the_tail_is_too_slow():
    wave = noise() * released(4.0)
    assert fit_decay(wave[TAIL]).missing_reason == tails.SLOW
    measured = tails.measure_tails(wave[np.newaxis])
    assert measured.missing["t20"][0] == tails.SLOW
    assert measured.t20[0] == tails.longest_measurable_decay() == pytest.approx(3.0)
    assert not measured.decays[0]


def test_silence_and_a_click_have_no_decay():
    assert fit_decay(np.zeros(16_000)).missing_reason == tails.SILENT
    click = np.zeros(16_000)
    click[0] = 1
    assert fit_decay(click).missing_reason == SHORT
    dead = noise() * (TIME < NOTE_OFF)
    assert tails.measure_tails(dead[np.newaxis]).missing["t20"][0] == tails.SILENT


@pytest.mark.parametrize("level", [-6.0, -20.0, -60.0])
def test_tail_ratio_of_a_step(level):
    wave = noise() * np.where(TIME < NOTE_OFF, 1, 10 ** (level / 20))
    assert tails.tail_ratio(wave) == pytest.approx(level, abs=0.3)


def test_tail_ratio_ends_at_the_floor_and_needs_a_held_note():
    assert tails.tail_ratio(noise() * (TIME < NOTE_OFF)) == -80.0
    assert np.isnan(tails.tail_ratio(noise() * (TIME < 1)))


def test_a_smear_over_the_release_is_past_in_the_late_ratio():
    smeared = noise() * np.where(TIME < NOTE_OFF + 0.13, 1, 10 ** (-50 / 20))
    found = tails.measure_tails(smeared[np.newaxis])
    assert found.ratio[0] > -10
    assert found.late[0] == pytest.approx(-50, abs=0.3)


def test_levels_follow_the_note():
    waves = np.stack([noise() * released(1.0), noise() * (TIME < 1)])
    seconds, curves = tails.levels(waves)
    assert curves.shape == (2, 75)
    held, late = curves[0, seconds < 0].mean(), curves[0, np.abs(seconds - 0.5) < 0.05].mean()
    assert held == pytest.approx(0, abs=0.3)
    assert late == pytest.approx(-30, abs=1)
    assert np.isnan(curves[1]).all()


def test_no_notes_have_no_tails():
    found = tails.measure_tails(np.empty((0, NOTE_LENGTH)))
    assert found.t20.shape == (0,)
    assert found.missing["octaves"].shape == (0, 7)


def measures(wave: np.ndarray) -> list[float]:
    found = tails.measure_tails(wave[np.newaxis])
    curve = tails.levels(wave[np.newaxis])[1][0]
    ratio = tails.tail_ratio(wave)
    return [ratio, found.ratio[0], found.t20[0], found.edt[0], *found.octaves[0], *curve]


@pytest.mark.parametrize("offset", [0.003, -0.05])
@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_a_constant_offset_changes_no_measure(seconds, offset):
    wave = 0.3 * noise() * released(seconds)
    np.testing.assert_allclose(measures(wave + offset), measures(wave), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("hold", [10.0, 100.0])
def test_an_offset_that_fades_slowly_changes_no_measure(hold):
    """As a reverb passes on the offset of a note: it falls far more slowly than the note's tail."""
    wave = 0.3 * noise() * released(1.0)
    measured = measures(wave + 0.02 * released(hold))
    np.testing.assert_allclose(measured[:4], measures(wave)[:4], rtol=0.01)
    assert fit_decay((wave + 0.02 * released(hold))[TAIL]).missing_reason


def test_an_offset_that_ends_with_the_note_leaves_silence():
    wave = (noise() + 0.5) * (TIME < NOTE_OFF)
    assert tails.tail_ratio(wave) == -80.0
    assert tails.measure_tails(wave[np.newaxis]).missing["t20"][0] == tails.SILENT
