"""Crossfades of twins: notes whose effect is an amount."""

import copy

import numpy as np
import pytest

from reverbsynth.gan.labels import LabelSpace
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.input_pipeline import BatchSequence, SpectrogramCache


@pytest.fixture(scope="module")
def faded(small_data, small_settings) -> SpectrogramCache:
    return SpectrogramCache(small_data, small_settings.spectra, crossfades=2)


def test_twins_are_followed_by_their_crossfades(faded, small_data):
    plain = small_data.index("train")
    assert len(faded) == 2 * len(plain)
    kinds = [isinstance(row["effect"], dict) for row in faded.index[:4]]
    assert kinds == [False, False, True, True]
    for row in faded.index:
        if isinstance(row["effect"], dict):
            assert sum(row["effect"].values()) == pytest.approx(1)
    wet = [row["effect"]["reverb"] for row in faded.index if isinstance(row["effect"], dict)]
    assert all(low < share < low + 0.5 for low, share in zip([0, 0.5] * 99, wet, strict=False))


def test_a_crossfade_is_the_image_of_the_mixed_waves(faded, small_data, small_settings):
    dry, wet = (note for note, _ in zip(small_data.notes("train"), range(2), strict=False))
    shares = faded.index[2]["effect"]
    mixed = shares[dry.effect] * dry.audio + shares[wet.effect] * wet.audio
    expected = Representation(small_settings.spectra).encode_all(mixed[np.newaxis])[0]
    image = faded.at_resolution(1)[2]
    np.testing.assert_allclose(image[..., 0], expected[..., 0], atol=1e-3)
    small = faded.at_resolution(32)[2]
    boxes = image.reshape(4, 32, 32, 32, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(small, boxes, atol=1e-4)


def test_conditions_hold_the_shares(faded, small_data, small_settings):
    labels = LabelSpace({name: small_data.vocabulary(name) for name in ("pitch", "effect")})
    gan = small_settings.gan.model_copy(update={"pitch_input": "harmonic"})
    conditions = faded.conditions(gan, labels)
    assert conditions.shape == (len(faded), 3)
    assert conditions[2, 0] == faded.index[2]["pitch"]
    assert conditions[2, 2] == pytest.approx(faded.index[2]["effect"]["reverb"])


def test_an_instrument_has_timbres_of_its_own_as_far_as_there_are_enough(faded):
    of_three = copy.copy(faded)
    of_three.index = [{**row, "instrument": row["pitch"] % 3} for row in faded.index]
    instruments = np.array([row["instrument"] for row in of_three.index])
    np.testing.assert_array_equal(of_three.timbres(3), np.eye(3)[instruments])
    np.testing.assert_array_equal(of_three.timbres(2), np.eye(2)[instruments % 2])
    np.testing.assert_array_equal(of_three.timbres(1), np.ones((len(faded), 1)))
    several = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]])
    np.testing.assert_array_equal(of_three.timbres(4), several[instruments])


def test_batches_carry_targets_with_their_columns():
    images = np.arange(8.0)[:, None]
    targets = BatchSequence(-images, (10 * images, images[:, 0]), 2, 0, 0, 100)
    batches = BatchSequence(images, (images,), 2, 0, 0, 100, targets)
    (own, labels), (target, condition, regions) = batches[3]
    np.testing.assert_array_equal(own, labels)
    np.testing.assert_array_equal(target[:, 0], -regions)
    np.testing.assert_array_equal(condition[:, 0], 10 * regions)
