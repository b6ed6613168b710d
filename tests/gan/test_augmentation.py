"""What the critic sees of images: louder, softer, earlier, later; nothing by default."""

import numpy as np
import pytest
from keras import ops

from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan.augmentation import augment, overfitting, roll_frames
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.settings import AugmentationSettings, Settings, SpectraSettings
from reverbsynth.spectra.representation import Representation

from .conftest import PITCHES, compiled, real_images, thin_settings, uniform_histogram

MEL = Representation(SpectraSettings())
BOTH = AugmentationSettings(gain=6.0, shift=0.25)


@pytest.mark.parametrize("kind", ["mel", "linear", "phase"])
def test_louder_is_the_image_of_a_louder_note(kind):
    representation = Representation(SpectraSettings(representation=kind))
    time = np.arange(64_000) / 16_000
    wave = (np.exp(-2 * time) * np.sin(2 * np.pi * 110 * time)).astype("float32")[None]
    encoded = representation.encode(wave)
    found = ops.convert_to_numpy(representation.louder(encoded, np.float32([-9.0])))
    expected = ops.convert_to_numpy(representation.encode(wave * 10 ** (-9 / 20)))
    # Not as logarithms: what is nearly silent holds the STFT's rounding.
    assert np.allclose(np.exp(found[..., 0]), np.exp(expected[..., 0]), rtol=1e-3, atol=1e-5)
    assert np.array_equal(found[..., 1], ops.convert_to_numpy(encoded)[..., 1])


def test_silence_stays_where_it_is():
    silence = np.full((1, 2, 16, 2), np.log(1e-6), "float32")
    assert np.allclose(ops.convert_to_numpy(MEL.louder(silence, np.float32([12.0]))), silence)


def test_later_moves_time_around():
    images = real_images(3)[:, ::16, ::64]
    moved = ops.convert_to_numpy(roll_frames(images, ops.convert_to_tensor([0, 3, -2])))
    for image, found, frames in zip(images, moved, (0, 3, -2), strict=True):
        assert np.array_equal(found, np.roll(image, frames, axis=0))


@pytest.mark.parametrize(("strength", "share"), [(0.0, 0.0), (0.25, 0.25), (1.0, 1.0)])
def test_each_change_is_made_as_often_as_the_strength_says(strength, share):
    images = np.repeat(real_images(1)[:, ::16, ::64], 400, axis=0)
    draws = np.random.default_rng(0).random((400, 4), np.float32)
    louder = augment(images, draws, strength, AugmentationSettings(gain=6.0), MEL)
    changed = (ops.convert_to_numpy(louder) != images).any(axis=(1, 2, 3)).mean()
    # Four standard deviations of a share of 400.
    assert abs(changed - share) <= 4 * np.sqrt(share * (1 - share) / 400)


def test_changes_stay_within_their_limits():
    images = np.repeat(real_images(1)[:, ::8, ::64], 200, axis=0)
    draws = np.random.default_rng(1).random((200, 4), np.float32)
    level = ops.convert_to_numpy(augment(images, draws, 1.0, AugmentationSettings(gain=6.0), MEL))
    decibels = (level - images)[..., 0] * 10 / np.log(10)
    assert 5.0 < np.abs(decibels).max() <= 6.001
    moved = ops.convert_to_numpy(augment(images, draws, 1.0, AugmentationSettings(shift=0.25), MEL))
    shifts = [
        next(s for s in range(-8, 8) if np.array_equal(np.roll(images[0], s, axis=0), image))
        for image in moved
    ]
    assert set(shifts) == set(range(-4, 5))


def test_overfitting_is_a_place_between_two_means():
    trained, generated = np.float32([3.0, 5.0]), np.float32([-2.0, 0.0])
    for held_out, expected in ((4.0, 0.0), (-1.0, 1.0), (1.5, 0.5)):
        assert float(overfitting(trained, np.float32([held_out]), generated)) == expected


def test_a_target_needs_something_to_change():
    with pytest.raises(
        ReverbSynthError, match=r"augmentation\.target: found 0\.6, expected a gain"
    ):
        Settings.preset("paper", **{"augmentation.target": 0.6})


def gradients_of_the_generator(augmentation: AugmentationSettings):
    settings = thin_settings(
        **{"gan.filters_max": 4, "augmentation": augmentation.model_dump(mode="json")}
    )
    model = ProgressiveGAN(settings, {"pitch": PITCHES}, uniform_histogram(len(PITCHES)), 4)
    z = ops.convert_to_tensor(np.random.default_rng(0).standard_normal((2, 256)), "float32")
    labels = {"pitch": ops.convert_to_tensor([3, 30])}
    terms, gradients = compiled(
        lambda: model.generator_gradients(z, labels, ops.convert_to_tensor(2.0))
    )
    return float(terms["generator_loss"]), [ops.convert_to_numpy(g) for g in gradients]


def test_the_generator_learns_through_the_changes():
    loss, gradients = gradients_of_the_generator(AugmentationSettings())
    weak, same = gradients_of_the_generator(BOTH.model_copy(update={"strength": 0.0}))
    strong, others = gradients_of_the_generator(BOTH)
    assert weak == pytest.approx(loss, rel=1e-6)
    assert strong != pytest.approx(loss, rel=1e-4)
    for plain, one, other in zip(gradients, same, others, strict=True):
        assert np.allclose(plain, one, rtol=1e-4, atol=1e-5 * np.abs(plain).max())
        assert np.isfinite(other).all()
    assert any(not np.allclose(p, o, rtol=0.01) for p, o in zip(gradients, others, strict=True))
