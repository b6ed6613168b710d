"""The closed form of a harmonic tone, held against tones that are encoded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.settings import SpectraSettings
from reverbsynth.spectra.format import HARMONIC_AMPLITUDE, N_FFT, window
from reverbsynth.spectra.harmonics import frequency_of, window_transform
from reverbsynth.spectra.representation import Representation

SUSTAINED = slice(20, 110)


def tone(pitch: float) -> np.ndarray:
    """A steady tone with all harmonics below 8 kHz, harmonic h at 1 / sqrt(h)."""
    frequency, time = frequency_of(pitch), np.arange(NOTE_LENGTH) / SAMPLE_RATE
    harmonics = range(1, int((SAMPLE_RATE / 2 - 1e-3) / frequency) + 1)
    parts = (np.cos(2 * np.pi * frequency * h * time) / np.sqrt(h) for h in harmonics)
    return (HARMONIC_AMPLITUDE * sum(parts)).astype(np.float32)


def test_window_transform_is_the_windows():
    bins = np.array([0.0, 0.3, 1.0, 1.5, 2.0, 2.5, 7.3], np.float32)
    phases = np.exp(-2j * np.pi * np.arange(N_FFT) * bins[:, None] / N_FFT)
    expected = np.abs(phases @ window()) / window().sum()
    found = np.abs(ops.convert_to_numpy(window_transform(ops.convert_to_tensor(bins))))
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("kind", ["mel", "linear"])
@pytest.mark.parametrize("pitch", [28, 33, 40.37, 52, 60.5, 77, 100])
def test_the_formula_is_the_encoder(pitch, kind):
    representation = Representation(SpectraSettings(representation=kind))
    encoded = representation.encode_all(tone(pitch)[np.newaxis])
    encoded = np.median(ops.convert_to_numpy(representation.normalize(encoded))[0, SUSTAINED], 0)
    pitches = ops.convert_to_tensor([pitch], "float32")
    formula = ops.convert_to_numpy(representation.harmonic_image(pitches))[0]
    level = np.abs(formula[:, 0] - encoded[:, 0])
    assert level.mean() < 0.005
    assert np.percentile(level, 99) < 0.05
    # Where there is energy, the step is the nearest harmonic's; an angle in half turns.
    turns = np.abs(formula[:, 1] - encoded[:, 1]) / 0.8
    turns = np.minimum(turns, 2 - turns)[encoded[:, 0] > 0.5 * encoded[:, 0].max()]
    assert np.median(turns) < 0.005
    assert np.mean(turns < 0.02) > 0.9


@given(st.floats(20, 108))
def test_every_pitch_has_an_image_within_the_networks_range(pitch):
    representation = Representation(SpectraSettings())
    image = ops.convert_to_numpy(
        representation.harmonic_image(ops.convert_to_tensor([pitch], "float32"))
    )
    assert image.shape == (1, 1024, 2)
    assert np.isfinite(image).all()
    assert np.abs(image).max() <= 1
