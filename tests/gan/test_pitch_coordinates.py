"""Pitch told to the generator as a number."""

import numpy as np
import pytest
from keras import ops

from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan import networks
from reverbsynth.gan.architecture import (
    BELOW_FLOOR,
    SILENCE,
    condition,
    condition_size,
    generator_shapes,
    key_shares,
)
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.gan.networks import Generator
from reverbsynth.gan.pitch_coordinates import at_bins, over_tone, pitch_coordinates
from reverbsynth.settings import GanSettings, Settings, SpectraSettings
from reverbsynth.spectra.format import FLOOR
from reverbsynth.spectra.mel import bin_frequencies
from reverbsynth.spectra.representation import Representation
from reverbsynth.spectra.scaling import upscale_in_lines

LABELS = LabelSpace({"pitch": [40, 43, 46], "effect": ["dry", "reverb"]})
HISTOGRAM = np.array([[0, 0, 1], [1, 1, 2], [2, 0, 1]])


def thin_settings(**overrides) -> Settings:
    overrides = {"gan.filters_base": 64, "gan.filters_max": 8, "gan.latent_size": 4, **overrides}
    return Settings.preset(
        "paper", **{"gan.labels": ["pitch", "effect"], "gan.pitch_input": "harmonic", **overrides}
    )


def model_at(stage: int, **overrides) -> ProgressiveGAN:
    return ProgressiveGAN(thin_settings(**overrides), LABELS, HISTOGRAM, stage)


def test_the_comb_turns_once_from_harmonic_to_harmonic():
    representation = Representation(SpectraSettings(representation="linear"))
    hz = bin_frequencies(representation.kind)
    pitch = 69 + 12 * np.log2(hz[40] / 440)  # bins 40, 81, 122, ... are its harmonics
    values = ops.convert_to_numpy(
        pitch_coordinates(ops.convert_to_tensor([pitch], "float32"), representation)
    )[0]
    assert values.shape == (1024, 6)
    np.testing.assert_allclose(values[40::41, 0], 1, atol=1e-2)
    np.testing.assert_allclose(values[40::41, 1], 0, atol=5e-2)
    np.testing.assert_allclose(np.sign(values[40::41, 2][:4]), [-1, 1, -1, 1])


def test_fewer_bins_are_means():
    coordinates = np.random.default_rng(0).standard_normal((2, 1024, 6)).astype(np.float32)
    found = ops.convert_to_numpy(at_bins(ops.convert_to_tensor(coordinates), 64))
    np.testing.assert_allclose(found, coordinates.reshape(2, 64, 16, 6).mean(axis=2), atol=1e-6)


@pytest.mark.parametrize("stage", [4, 5])
def test_an_untrained_image_has_the_frequencies_of_the_tone(stage):
    model, representation = model_at(stage), Representation(SpectraSettings())
    condition = np.array([[43, 0, 1], [46.5, 1, 0]], np.float32)
    z = np.random.default_rng(1).standard_normal((2, 4)).astype(np.float32)
    progress = ops.convert_to_tensor((stage + 1) // 2, "float32")
    image = ops.convert_to_numpy(model.generator(z, condition, progress))
    frames, bins = image.shape[1:3]
    pitch = ops.convert_to_tensor(condition[:, 0])
    along = at_bins(pitch_coordinates(pitch, representation), bins)
    expected = np.repeat(ops.convert_to_numpy(along)[:, None, :, 5], frames, axis=1)
    np.testing.assert_allclose(image[..., 1], expected, atol=1e-5)


def test_beyond_the_paper_a_new_block_begins_by_saying_what_the_last_one_said(monkeypatch):
    monkeypatch.setattr(networks, "over_tone", lambda said, *_: said)
    model = model_at(8)
    condition = np.array([[43, 0, 1], [46.5, 1, 0]], np.float32)
    z = np.random.default_rng(1).standard_normal((2, 4)).astype(np.float32)
    said = model.generator(z, condition, ops.convert_to_tensor(4.0))
    grown = model.next_stage().generator(z, condition, ops.convert_to_tensor(5.0))
    expected = ops.convert_to_numpy(upscale_in_lines(said))
    np.testing.assert_allclose(ops.convert_to_numpy(grown), expected, atol=1e-5)


def test_the_gate_lets_the_tone_through_or_keeps_it_out():
    representation = Representation(SpectraSettings())
    along = at_bins(pitch_coordinates(np.array([40.0], "f"), representation), 256)
    said = np.zeros((1, 2, 256, 3), np.float32)
    said[:, 0, :, 0], said[:, 0, :, 2], said[:, 1, :, 2] = SILENCE, 30, -30
    level = ops.convert_to_numpy(over_tone(said, along, representation))[0, ..., 0]
    np.testing.assert_allclose(level[0], ops.convert_to_numpy(along)[0, :, 4], atol=1e-3)
    np.testing.assert_allclose(level[1], 0, atol=1e-6)


def test_below_silence_a_level_hardly_falls():
    representation = Representation(SpectraSettings())
    silent = representation.normalize(np.full((1, 1, 1, 2), np.log(FLOOR), np.float32))[..., 0]
    assert representation.silence == pytest.approx(float(silent[0, 0, 0]), abs=1e-6)
    said = np.zeros((1, 3, 256, 3), np.float32)
    said[..., 2], asked = -30, representation.silence + np.array([0.1, 0.0, -0.1])
    said[..., 0] = np.arctanh(asked)[:, None]
    along = np.zeros((1, 256, 6), np.float32)
    level = ops.convert_to_numpy(over_tone(said, along, representation))[0, :, 0, 0]
    expected = representation.silence + np.array([0.1, 0.0, -0.1 * BELOW_FLOOR])
    np.testing.assert_allclose(level, expected, atol=1e-5)


def test_a_bare_phase_starts_from_nothing():
    representation = Representation(SpectraSettings(representation="phase"))
    along = at_bins(pitch_coordinates(np.array([40.0], "f"), representation), 256)
    said = np.full((1, 2, 256, 3), 0.5, np.float32)
    second = ops.convert_to_numpy(over_tone(said, along, representation))[..., 1]
    np.testing.assert_allclose(second, np.tanh(0.5), rtol=1e-5)


@pytest.mark.parametrize("stage", [0, 4, 7])
def test_shapes_are_the_networks(stage):
    settings = thin_settings().gan
    size = condition_size(settings, LABELS)
    assert size == 3
    network = Generator(settings, size, stage, representation=Representation(SpectraSettings()))
    found = {name: tuple(v.shape) for name, v in network.named_variables().items()}
    assert found == generator_shapes(settings, size, stage)


@pytest.mark.parametrize("stage", [4, 5])
def test_pitches_between_two_keys_are_between_their_images(stage):
    model = model_at(stage)
    z = np.zeros((1, 4), np.float32)

    def image(pitch: float) -> np.ndarray:
        condition = np.array([[pitch, 1, 0]], np.float32)
        progress = ops.convert_to_tensor(stage / 2, "float32")
        return ops.convert_to_numpy(model.generator(z, condition, progress))

    near, far = (np.abs(image(40) - image(other)).mean() for other in (40.002, 45))
    assert 0 < near < 0.2 * far


def test_training_reaches_the_weights_beside_the_coordinates():
    model = model_at(4)
    z, labels = model.draw(3)
    progress = ops.convert_to_tensor(2.0, "float32")
    terms, gradients = model.generator_gradients(z, labels, progress)
    names = list(model.generator.named_variables())
    assert np.isfinite(float(terms["generator_loss"]))
    kernel = ops.convert_to_numpy(gradients[names.index("block_3/conv1/kernel")])
    assert kernel.shape[2] == 8 + 6
    assert (np.abs(kernel[:, :, 8:]).max(axis=(0, 1, 3)) > 0).all()


def test_a_one_hot_network_is_the_papers():
    harmonic, one_hot = thin_settings().gan, thin_settings(**{"gan.pitch_input": "one-hot"}).gan
    assert GanSettings().pitch_input == "one-hot"
    assert condition_size(one_hot, LABELS) == 5
    shapes = generator_shapes(one_hot, 5, 8)
    assert (
        shapes["block_3/conv1/kernel"][2] + 6
        == (generator_shapes(harmonic, 3, 8)["block_3/conv1/kernel"][2])
    )


def test_a_key_is_told_by_the_trained_ones_beside_it():
    keys, trained = (40, 43, 46, 50), (40, 43, 50)
    found = key_shares([40, 41.5, 45, 46, 30, 60], keys, trained)
    expected = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 5 / 7, 0, 2 / 7], [0, 4 / 7, 0, 3 / 7]]
    expected += [[1, 0, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("told", ["one-hot", "harmonic"])
def test_training_tells_the_labels_as_playing_does(told, shares):
    model = model_at(4, **{"gan.pitch_input": told, "gan.key_shares": shares})
    gan, classes = model.settings.gan, {"pitch": [0, 2], "effect": [1, 0]}
    found = ops.convert_to_numpy(
        model.condition({name: ops.convert_to_tensor(of) for name, of in classes.items()})
    )
    values = {name: [LABELS[name][i] for i in of] for name, of in classes.items()}
    assert found.shape == (2, condition_size(gan, LABELS))
    np.testing.assert_array_equal(found, condition(gan, LABELS, values, LABELS["pitch"]))
    number = [[40], [46]] if told == "harmonic" else np.empty((2, 0))
    keys = [[1, 0, 0], [0, 0, 1]] if shares or told == "one-hot" else np.empty((2, 0))
    np.testing.assert_array_equal(found, np.hstack([number, keys, [[0, 1], [1, 0]]]))


def test_pitch_as_a_number_leads_the_labels():
    with pytest.raises(ReverbSynthError, match="expected pitch as the first label"):
        thin_settings(**{"gan.labels": ["effect", "pitch"]})
