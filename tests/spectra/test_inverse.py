"""Inverses other than the original's: what they must keep, and that they come nearer."""

import numpy as np
import pytest
from keras import ops

from reverbsynth.audio.format import NOTE_LENGTH, NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.spectrum import distances, mel_levels
from reverbsynth.audio.tails import measure_tails
from reverbsynth.settings import Settings, SpectraSettings
from reverbsynth.spectra import mel
from reverbsynth.spectra.representation import Representation
from reverbsynth.spectra.scaling import downscale
from reverbsynth.training.input_pipeline import SpectrogramCache

TIME = np.arange(NOTE_LENGTH) / SAMPLE_RATE


@pytest.fixture(scope="module")
def note() -> np.ndarray:
    """A bass note that is let go at 3 s and dies away within a tenth of a second."""
    wave = sum(np.sin(2 * np.pi * 55 * k * TIME) / k for k in range(1, 20))
    let_go = np.exp(-np.maximum(TIME - NOTE_OFF, 0) / 0.02)
    return (0.1 * wave * np.exp(-TIME) * let_go).astype(np.float32)[np.newaxis]


def decoded(note: np.ndarray, **inverse) -> np.ndarray:
    representation = Representation(SpectraSettings(**inverse))
    return representation.decode_all(representation.encode_all(note))


def test_both_together_bring_a_note_nearer_to_itself(note):
    levels = mel_levels(note)
    steps = [{}, {"projections": 1}, {"projections": 1, "mel_inverse": "nnls"}]
    found = [distances(levels, mel_levels(decoded(note, **inverse)))[0, 0] for inverse in steps]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.5 * found[0]


def test_lines_bring_back_the_silence_after_a_note_in_a_small_image(note):
    ratios = []
    for upscaling in ("nearest", "linear"):
        representation = Representation(SpectraSettings(mel_inverse="nnls", upscaling=upscaling))
        small = downscale(representation.encode(note), 4)
        ratios.append(measure_tails(ops.convert_to_numpy(representation.decode(small))).ratio[0])
    assert ratios[1] < ratios[0] - 6


def test_a_projection_keeps_what_is_the_spectrum_of_a_sound(note):
    """On the linear scale a note comes back as it was, so there is next to nothing to project."""
    found, plain = (decoded(note, representation="linear", projections=n) for n in (2, 0))
    assert np.sum((found - plain) ** 2) < 1e-4 * np.sum(plain**2)


def test_least_squares_is_not_negative_and_states_the_bands_power():
    rng = np.random.default_rng(0)
    power = np.exp(rng.normal(0, 2, (1, 2, 1024))).astype(np.float32) @ mel.linear_to_mel()
    power = power.astype(np.float32)
    errors = []
    for non_negative in (False, True):
        magnitude = ops.convert_to_numpy(mel.linear_magnitude(power, non_negative))
        assert (magnitude >= 0).all()
        errors.append(np.linalg.norm(magnitude**2 @ mel.linear_to_mel() - power))
    assert errors[1] < 0.2 * errors[0]


def test_silence_stays_silence():
    silent = np.zeros((1, NOTE_LENGTH), np.float32)
    assert np.abs(decoded(silent, mel_inverse="nnls", projections=2)).max() < 1e-6


def test_another_inverse_leaves_images_where_they_are(small_data):
    """Only decoding changes: what was encoded once serves."""
    original, other = (
        SpectrogramCache(small_data, Settings.preset(name).spectra) for name in ("paper", "studio")
    )
    assert original._path(1) == other._path(1)
