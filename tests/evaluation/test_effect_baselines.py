"""Impulse responses fitted to twins, and distances to a true twin."""

import numpy as np
import pytest

from reverbsynth.audio.reverberation import decay_by_octave
from reverbsynth.evaluation.effect_baselines import (
    DELAYS,
    convolved,
    estimated_response,
    feedback_delays,
    fitted_feedback_delays,
)
from reverbsynth.evaluation.metrics.transfer import distances
from reverbsynth.instrument.effect_change import LAGS, EffectChange

SAMPLES = 64_000


def bursts(count: int, seed: int = 0) -> np.ndarray:
    """Noise of 3 s that dies away, each as loud as the others [shape=(count, 64000)]."""
    rng, seconds = np.random.default_rng(seed), np.arange(SAMPLES) / 16_000
    noise = rng.standard_normal((count, SAMPLES)) * np.exp(-seconds) * (seconds < 3)
    return noise.astype(np.float32) / 4


def room(seconds: float = 0.8, seed: int = 9) -> np.ndarray:
    """A direct sound and a tail of noise that decays by 60 dB in so many seconds."""
    rng, time = np.random.default_rng(seed), np.arange(SAMPLES) / 16_000
    response = 0.02 * rng.standard_normal(SAMPLES) * 10 ** (-3 * time / seconds)
    response[0] = 1
    return response


def test_a_response_is_found_from_notes_and_their_twins():
    dry, other = bursts(6), bursts(1, seed=1)
    found = estimated_response(dry, convolved(dry, room()))
    expected = convolved(other, room())[0]
    assert np.abs(convolved(other, found)[0] - expected).max() < 0.01 * np.abs(expected).max()


def test_feedback_delays_are_those_that_feed_themselves_sample_by_sample():
    low, high, length, count = 0.3, 0.1, 2500, len(DELAYS)
    at_low, at_high = (10 ** (-3 * np.array(DELAYS) / (16_000 * t)) for t in (low, high))
    poles = (at_low - at_high) / (at_low + at_high)
    entering, leaving = np.zeros((length + max(DELAYS), count)), np.zeros((length + 1, count))
    entering[0] = 1  # those at the end are what was before
    for i in range(length):
        delayed = entering[np.subtract(i, DELAYS), np.arange(count)]
        leaving[i] = poles * leaving[i - 1] + at_low * (1 - poles) * delayed
        entering[i] += leaving[i] - 2 / count * leaving[i].sum()
    found = feedback_delays(low, high, length)
    assert found == pytest.approx(leaving[:-1].sum(axis=1), abs=1e-8)
    assert np.abs(found).max() > 0.1


def test_feedback_delays_decay_as_they_are_set():
    decays = decay_by_octave(feedback_delays(1.2, 0.5, 3 * SAMPLES))
    assert decays[125.0] == pytest.approx(1.2, rel=0.15)
    # The high decay time is that of 8 kHz, to which one pole falls gently.
    assert 0.5 < decays[4000.0] < decays[1000.0] < decays[125.0]


def test_feedback_delays_fitted_to_a_room_come_nearer_than_nothing():
    dry, other = bursts(3), bursts(1, seed=1)
    wet, twin = convolved(dry, room()), convolved(other, room())[0]
    fitted = fitted_feedback_delays(dry, wet, estimated_response(dry, wet))
    assert fitted is not None
    near = distances(convolved(other, fitted)[0], twin)
    assert near["spectrum"] < 0.5 * distances(other[0], twin)["spectrum"]
    assert near["decay"] < 0.5 * distances(other[0], twin)["decay"]


def test_feedback_delays_are_fitted_to_twins_from_all_over():
    """Data sets are in order of instrument and key, and effects differ by key."""
    dry = bursts(48)
    wet = convolved(dry, room())
    response, first = estimated_response(dry, wet), 12
    most, none = (
        fitted_feedback_delays(dry, np.concatenate([dry[:until], wet[until:]]), response)
        for until in (first, len(dry))
    )
    assert np.square(most[1:]).sum() > 2 * np.square(none[1:]).sum()


def test_a_twin_is_no_distance_from_itself():
    twin = convolved(bursts(1), room())[0]
    expected = {"spectrum": 0, "resolutions": 0, "decay": 0, "octaves": 1}
    assert distances(twin, twin) == pytest.approx(expected, abs=1e-6)
    assert distances(bursts(1)[0], bursts(1)[0])["octaves"] is None


def test_a_change_carries_over_to_another_sound():
    dry, other = bursts(4), bursts(1, seed=1)[0]
    change = EffectChange.between(dry, convolved(dry, room()))
    assert change.weights.shape[1] == LAGS
    assert change.weights.min() >= 0
    played, twin = convolved(bursts(1, seed=2), room())[0], convolved(other[None], room())[0]
    near, before = (distances(each, twin) for each in (change.apply(other, played), other))
    assert near["spectrum"] < 0.7 * before["spectrum"]
    assert near["decay"] < 0.5 * before["decay"]


def test_what_an_effect_takes_is_taken_away():
    dry, other = bursts(4), bursts(1, seed=1)[0]
    changed = EffectChange.between(dry, 0.4 * dry).apply(other, other)
    assert np.std(changed) == pytest.approx(0.4 * np.std(other), rel=0.15)
