"""Instruments: original checkpoints, and the file they are kept in."""


import numpy as np
import pytest

from reverbsynth.instrument import Instrument


def snr(reference: np.ndarray, found: np.ndarray) -> float:
    noise = np.sum((reference.astype(np.float64) - found) ** 2)
    return 10 * np.log10(np.sum(reference.astype(np.float64) ** 2) / noise)


@pytest.fixture(scope="module")
def imported(fixtures):
    return Instrument.from_original(fixtures / "original_run")


@pytest.fixture(scope="module")
def expected(fixtures):
    return dict(np.load(fixtures / "original_run_expected.npz"))


def test_original_checkpoint_plays_as_the_original(imported, expected):
    waves = imported.notes(expected["pitches"], z=expected["z"])
    assert waves.shape == expected["waves"].shape
    for reference, found in zip(expected["waves"], waves, strict=True):
        assert snr(reference, found) >= 60


def test_original_checkpoint_paints_as_the_original(imported, expected):
    images = imported.images(expected["pitches"], z=expected["z"])[:, ::16, ::16]
    stored = expected["melspecgram_subsampled"]
    assert np.abs(images - stored).max() <= 1e-4 * np.abs(stored).max()


def test_round_trip_gives_identical_waves(imported, expected, tmp_path):
    imported.save(tmp_path / "bass.safetensors")
    again = Instrument.load(tmp_path / "bass.safetensors")
    assert again.labels == imported.labels
    assert again.facts == imported.facts
    assert np.array_equal(again.notes([40, 41], seed=1), imported.notes([40, 41], seed=1))
