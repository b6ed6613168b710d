"""Each step of the transform against the original's stored intermediates."""

import numpy as np
import pytest
from keras import ops

from reverbsynth.settings import SpectraSettings
from reverbsynth.spectra import mel
from reverbsynth.spectra.representation import (
    Representation,
    to_mel,
    to_specgram,
)
from reverbsynth.spectra.stft import stft


def snr(reference: np.ndarray, found: np.ndarray) -> float:
    noise = np.sum((reference.astype(np.float64) - found) ** 2)
    return 10 * np.log10(np.sum(reference.astype(np.float64) ** 2) / noise)


@pytest.fixture(scope="module")
def original(fixtures):
    return dict(np.load(fixtures / "spectra.npz"))


def numpy(value):
    return ops.convert_to_numpy(value)[0]


def test_stft(original):
    real, imaginary = stft(original["wave"][None])
    expected = original["stft_real"] + 1j * original["stft_imag"]
    found = numpy(real) + 1j * numpy(imaginary)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_specgram(original):
    real, imaginary = original["stft_real"][None], original["stft_imag"][None]
    found = numpy(to_specgram(real, imaginary, ops.arctan2(imaginary, real)))
    expected = original["specgram"]
    assert np.abs(found[..., 0] - expected[..., 0]).max() <= 1e-5
    # A step of exactly half a turn may round to either sign: the two are the same angle.
    turned = np.abs(found[..., 1] - expected[..., 1])
    assert np.minimum(turned, 2 - turned).max() <= 1e-3


def test_mel_matrix(original):
    assert np.abs(mel.linear_to_mel()[:, ::64] - original["linear_to_mel"]).max() <= 1e-12


def test_mel_weights_of_all_but_the_outermost_bins_sum_to_one():
    rows = mel.linear_to_mel()[1:-3]
    assert np.allclose(rows.sum(axis=1), 1, atol=1e-9)
    assert ((rows > 0).sum(axis=1) <= 2).all()


def test_mel_specgram(original):
    found = numpy(to_mel(original["specgram"][None]))
    expected = original["melspecgram"]
    assert np.abs(found[..., 0] - expected[..., 0]).max() <= 1e-5
    assert np.abs(found[..., 1] - expected[..., 1]).max() <= 1e-3


def test_inverse_from_the_stored_mel_specgram(original):
    wave = numpy(Representation(SpectraSettings()).decode(original["melspecgram"][None]))
    assert snr(original["wave_from_melspecgram"], wave) >= 90


def test_end_to_end(original):
    representation = Representation(SpectraSettings())
    found = representation.encode_all(original["wave"][None])[0]
    expected = original["melspecgram"]
    loud = expected[..., 0] > np.log(1e-4)
    agree = np.abs(found - expected).max(axis=-1)[loud] <= 1e-3
    assert loud.any()
    assert agree.mean() >= 0.995


def test_the_compiled_encoder_is_the_same(original):
    representation = Representation(SpectraSettings())
    waves = np.stack([original["wave"], 0.5 * original["wave"][::-1]]).astype("float32")
    plain = representation.encode_all(waves)
    found = ops.convert_to_numpy(representation.encoder()(ops.convert_to_tensor(waves)))
    assert np.abs(found[..., 0] - plain[..., 0]).max() <= 1e-5
    turned = np.abs(found[..., 1] - plain[..., 1])
    assert np.minimum(turned, 2 - turned).max() <= 1e-4
