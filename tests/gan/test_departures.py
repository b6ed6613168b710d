"""What a recipe may do otherwise than the paper: lazy and native penalty, nearest images."""

from itertools import product

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import ops

from reverbsynth.gan import losses
from reverbsynth.gan.backend import backend
from reverbsynth.gan.layers import timbre_shares
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.spectra.format import FLOOR
from reverbsynth.spectra.scaling import downscale

from .conftest import PITCH, PITCHES, compiled, real_images, thin_settings, uniform_histogram

STAGE, PROGRESS = 4, ops.convert_to_tensor(2.0)
LABELS = {"pitch": np.int32([3, 30])}


def model_with(**departures) -> ProgressiveGAN:
    settings = thin_settings(
        **{f"losses.{name}": value for name, value in departures.items()}, **{"gan.filters_max": 4}
    )
    return ProgressiveGAN(settings, PITCH, uniform_histogram(len(PITCHES)), STAGE)


def images():
    return downscale(ops.convert_to_tensor(real_images(2)), 16)


def critic_step(model: ProgressiveGAN, steps: int = 0) -> tuple[dict, list]:
    """Terms and gradients of the critic after so many steps, on fixed images."""
    model.images_seen.assign(model.images_seen + steps * model.settings.training.batch)
    fake = 0.5 * images() - 3.0
    alpha = ops.convert_to_tensor(np.float32([0.25, 0.75]).reshape(2, 1, 1, 1))

    def run():
        return model.discriminator_gradients(images(), LABELS, fake, alpha, PROGRESS)

    def run_without_side_effects():
        # What a compiled step assigns comes out beside its result, as in training on JAX.
        with keras.StatelessScope() as scope:
            found = run()
        return *found, scope.get_current_value(model.penalty)

    if keras.backend.backend() == "jax":
        terms, gradients, penalty = compiled(run_without_side_effects)
        if penalty is not None:
            model.penalty.assign(penalty)
    else:
        terms, gradients = run()
    return (
        {name: float(value) for name, value in terms.items()},
        [ops.convert_to_numpy(gradient) for gradient in gradients],
    )


def test_a_lazy_penalty_weighs_as_much_in_all():
    plain_terms, plain = critic_step(model_with())
    _, without = critic_step(model_with(gradient_penalty=0.0))
    lazy = model_with(penalty_every=4)
    due_terms, due = critic_step(lazy)
    later_terms, later = critic_step(lazy, steps=1)
    assert due_terms["gradient_penalty"] == pytest.approx(plain_terms["gradient_penalty"], rel=1e-4)
    assert later_terms["gradient_penalty"] == due_terms["gradient_penalty"]
    for once, none, four, zero in zip(plain, without, due, later, strict=True):
        size = np.abs(once).max() + 1e-6
        np.testing.assert_allclose(zero, none, atol=1e-4 * size)
        np.testing.assert_allclose(four, none + 4 * (once - none), atol=2e-3 * size)
    assert any(
        np.abs(a - b).max() > 1e-3 * np.abs(a).max() for a, b in zip(due, later, strict=True)
    )


def test_a_native_slope_is_taken_by_the_normalized_image():
    model = model_with(penalty_image="native")
    terms, _ = critic_step(model)
    share = np.float32([0.25, 0.75]).reshape(2, 1, 1, 1)
    between = images() + share * (0.5 * images() - 3.0 - images())
    # By finite differences along the gradient's own direction, within what is not clipped.
    representation = model.representation
    normal = ops.convert_to_tensor(0.9 * representation.normalize(between))

    def score(x):
        return model.discriminator(representation.denormalize(x), PROGRESS)[0]

    def slopes():
        return backend.input_gradient(lambda x: ops.sum(score(x)), normal)

    direction = ops.convert_to_numpy(compiled(slopes))
    direction = direction / np.sqrt((direction**2).sum(axis=(1, 2, 3), keepdims=True))
    # One image at a time: the minibatch's deviation lets each count in all scores.
    change = np.zeros(2)
    for i, step in product(range(2), (0.01, -0.01)):
        moved = normal + step * direction * np.eye(2, dtype="float32")[i].reshape(2, 1, 1, 1)
        change[i] += float(ops.sum(score(moved))) / (2 * step)

    def norms(x):
        return ops.convert_to_numpy(compiled(lambda: model._gradient_norms(x, PROGRESS)))

    np.testing.assert_allclose(norms(representation.denormalize(normal)), change, rtol=0.02)
    expected = np.mean((norms(between) - 1) ** 2)
    assert terms["gradient_penalty"] == pytest.approx(float(expected), rel=1e-3)


def test_distance_counts_frequency_by_level():
    real = np.zeros((3, 2, 4, 2), "float32")
    real[0, ..., 0], real[1, ..., 0] = -1, 1
    generated = real.copy()
    generated[..., 1] += 0.5
    found = ops.convert_to_numpy(losses.image_distance(ops.convert_to_tensor(real), generated))
    np.testing.assert_allclose(found, [0, 0.125, 0.0625], rtol=1e-6)
    found = losses.image_distance(ops.convert_to_tensor(real), generated, silence=0.2)
    np.testing.assert_allclose(ops.convert_to_numpy(found), [0, 0.125, 0.046875], rtol=1e-6)


def test_silence_is_left_out_where_the_settings_say_so():
    real = np.full((1, 8, 64, 2), -0.6, "float32")
    other = ops.convert_to_tensor(real + np.float32([0, 0.5]))
    # The level is 0.2 of the way up, and of what lies above 0.1, a ninth.
    for silence, weight in ((0.0, 0.2), (0.1, 1 / 9), (0.3, 0.0)):
        model = model_with(imle_weight=1.0, imle_silence=silence)
        found = float(model.image_distance(ops.convert_to_tensor(real), other)[0])
        assert found == pytest.approx(weight * 0.25 / 2, abs=1e-6)


def test_the_penalty_is_due_in_one_of_several_adversarial_steps():
    model, due = model_with(penalty_every=2, adversarial_every=4, imle_weight=1.0), []
    for step in (0, 4, 8, 12, 16):
        model.penalty.assign(-1.0)
        model.images_seen.assign(step * model.settings.training.batch)
        critic_step(model)
        due += [step] if float(model.penalty) != -1.0 else []
    assert due == [0, 8, 16]


def test_the_nearest_of_the_drawn_images_is_chosen():
    model = model_with(imle_weight=1.0, imle_samples=5)
    condition = model.condition({"pitch": ops.convert_to_tensor([3, 30])})
    state = ops.convert_to_numpy(model.random.state)
    target = model.representation.normalize(images())
    chosen = ops.convert_to_numpy(model.nearest_latents(target, condition, PROGRESS))
    model.random.state.assign(state)
    drawn = ops.convert_to_numpy(
        keras.random.normal((10, model.settings.gan.latent_size), seed=model.random)
    ).reshape(2, 5, -1)
    for i in range(2):
        distances = [
            float(
                losses.image_distance(
                    target[i], model.generator(z[None], condition[i : i + 1], PROGRESS)[0]
                )
            )
            for z in drawn[i]
        ]
        np.testing.assert_array_equal(chosen[i], drawn[i][int(np.argmin(distances))])


@settings(max_examples=20, deadline=None)
@given(arrays(np.float32, (7, 5), elements=st.integers(-99, 99), unique=True), st.data())
def test_latent_vectors_are_moved_into_their_timbres_and_no_further(z, data):
    count = data.draw(st.integers(1, 5))
    theirs = st.sets(st.integers(0, count - 1), min_size=1)
    timbres = data.draw(st.lists(theirs, min_size=7, max_size=7))
    told = np.array([[place in own for place in range(count)] for own in timbres], np.float32)
    moved = ops.convert_to_numpy(losses.of_timbres(ops.convert_to_tensor(z), told))
    rows = np.arange(7)
    assert told[rows, moved[:, :count].argmax(axis=1)].all()
    np.testing.assert_array_equal(np.sort(moved[:, :count]), np.sort(z[:, :count]))
    np.testing.assert_array_equal(moved[:, count:], z[:, count:])
    inside = told[rows, z[:, :count].argmax(axis=1)] > 0
    np.testing.assert_array_equal(moved[inside], z[inside])


@pytest.mark.parametrize("draws", [1, 3])
def test_the_nearest_image_is_sought_among_the_instruments_timbres(draws):
    model = model_with(imle_weight=1.0, imle_samples=draws)
    condition = model.condition({"pitch": ops.convert_to_tensor([3, 30])})
    timbres = ops.convert_to_tensor(np.eye(3, dtype="float32")[[2, 0]])
    target = model.representation.normalize(images())
    chosen = model.nearest_latents(target, condition, PROGRESS, timbres)
    assert chosen.shape == (2, model.settings.gan.latent_size)
    np.testing.assert_array_equal(ops.convert_to_numpy(chosen)[:, :3].argmax(axis=1), [2, 0])


def test_the_first_numbers_become_shares_of_timbres():
    z = np.array([[1.5, 0.5, -1.0, 3.0], [0.2, 0.2, 0.1, -7.0]], np.float32)
    given = ops.convert_to_numpy(timbre_shares(ops.convert_to_tensor(z), 3))
    np.testing.assert_array_equal(given[:, 3:], z[:, 3:])
    powers = np.exp(8 * z[:, :3])
    np.testing.assert_allclose(given[:, :3], 4 * powers / powers.sum(axis=1, keepdims=True), 1e-5)
    np.testing.assert_array_equal(ops.convert_to_numpy(timbre_shares(z, 0)), z)


def levels_of(image, representation, spans: int) -> np.ndarray:
    """Levels of bands of a normalized image."""
    return ops.convert_to_numpy(
        losses.band_levels(losses.band_powers(image, representation), spans)
    )


@pytest.mark.parametrize("spans", [16, 64, 128])
def test_levels_add_up_power_within_bands(spans):
    """A noise has the level of its power; the mean of its logarithms lies 2.5 dB under it."""
    representation = model_with().representation
    rng = np.random.default_rng(0)
    noise = np.log(rng.exponential(size=(2, 64, 512, 2))).astype("float32")
    blurred = np.broadcast_to(noise.mean(axis=(1, 2), keepdims=True), noise.shape)
    levels, lower = (
        levels_of(representation.normalize(image), representation, spans)
        for image in map(ops.convert_to_tensor, (noise, blurred))
    )
    assert levels.shape == (2, min(spans, 64), 16)
    decibels = 10 / np.log(10) * (levels - lower).mean()
    assert decibels == pytest.approx(2.5, abs=0.2)


def test_what_lies_below_the_floor_makes_up_for_nothing():
    representation = model_with().representation
    image = np.log(FLOOR * np.tile([0.5, 1.5], 32)).astype("float32")
    image = np.stack([image, image], axis=-1)[None, None]
    levels = levels_of(representation.normalize(ops.convert_to_tensor(image)), representation, 128)
    expected = np.log((0.25 + losses.LEAST) * FLOOR)
    np.testing.assert_allclose(levels, expected, atol=1e-3)


def test_levels_are_what_lies_above_the_floor():
    """A tenth above the floor in an image is 10 dB below it in the sound."""
    representation = model_with().representation
    power = FLOOR * np.array([1.0, 1.1, 2.0], np.float32)
    image = np.zeros((3, 2, 64, 2), np.float32) + np.log(power)[:, None, None, None]
    levels = levels_of(representation.normalize(ops.convert_to_tensor(image)), representation, 128)
    expected = np.log(FLOOR * np.array([0.0, 0.1, 1.0]) + losses.LEAST * FLOOR)
    np.testing.assert_allclose(levels[:, 0, 0], expected, atol=1e-3)


def test_spans_hold_the_mean_power_of_their_frames():
    representation = model_with().representation
    power = np.random.default_rng(0).exponential(size=(1, 32, 64)).astype("float32") + 1
    image = np.log(np.stack([power, power], axis=-1))
    levels = levels_of(representation.normalize(ops.convert_to_tensor(image)), representation, 16)
    expected = np.log(power.reshape(1, 16, 2, 16, 4).mean(axis=(2, 4)) - FLOOR * (1 - losses.LEAST))
    np.testing.assert_allclose(levels, expected, atol=1e-4)


def test_the_distance_has_the_levels_where_they_have_a_weight():
    model = model_with(imle_weight=1.0, imle_levels=3.0)
    real = model.representation.normalize(images())
    other = 0.9 * real - 0.05
    found = ops.convert_to_numpy(model.image_distance(real, other))
    expected = ops.convert_to_numpy(losses.image_distance(real, other))
    for spans in (real.shape[1], 16):
        levels = [levels_of(image, model.representation, spans) for image in (real, other)]
        apart = model.representation.scale[0] * (levels[0] - levels[1])
        expected = expected + 3 * (apart**2).mean(axis=(1, 2))
    curves = [curve_of(image, model.representation) for image in (real, other)]
    apart = model.representation.scale[0] * (curves[0] - curves[1])
    expected = expected + 3 * (apart**2).mean(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def curve_of(image, representation) -> np.ndarray:
    """The energy decay curve of a normalized image."""
    return ops.convert_to_numpy(losses.decay_curve(losses.band_powers(image, representation)))


@pytest.mark.parametrize("t60", [0.5, 1.0, 2.0])
def test_decay_curves_fall_as_the_sound_decays(t60):
    """In 4 s of 64 frames; and silence ends where the levels of spans of time end."""
    representation = model_with().representation
    seconds = np.arange(64) / 16
    power = np.exp(-6 * np.log(10) * seconds / t60) + FLOOR
    image = np.broadcast_to(np.log(power)[None, :, None, None], (1, 64, 32, 2)).astype("float32")
    curve = curve_of(representation.normalize(ops.convert_to_tensor(image)), representation)[0]
    fall = 10 / np.log(10) * (curve[0] - curve)
    end = np.argmax(fall > 25)
    assert np.polyfit(seconds[:end], fall[:end], 1)[0] == pytest.approx(60 / t60, rel=0.02)
    silent = np.full((1, 64, 32, 2), np.log(FLOOR), "float32")
    curve = curve_of(representation.normalize(ops.convert_to_tensor(silent)), representation)
    np.testing.assert_allclose(curve, np.log(losses.LEAST * FLOOR / 16), atol=1e-3)


def test_the_generator_follows_the_nearest_distance():
    model = model_with(imle_weight=1e4, imle_samples=2)
    z = ops.convert_to_tensor(np.random.default_rng(0).standard_normal((2, 256)), "float32")
    terms, pulled = compiled(
        lambda: model.generator_gradients(z, LABELS, PROGRESS, images(), model.condition(LABELS))
    )
    _, free = compiled(lambda: model_with().generator_gradients(z, LABELS, PROGRESS))
    assert float(terms["nearest_distance"]) > 0
    total = terms["generator_wasserstein"] + 10 * terms["fake_pitch_loss"]
    total = total + 1e4 * terms["nearest_distance"]
    assert float(terms["generator_loss"]) == pytest.approx(float(total), rel=1e-5)
    moved = [float(ops.max(ops.abs(a - b))) for a, b in zip(pulled, free, strict=True)]
    assert max(moved) > 1.0
