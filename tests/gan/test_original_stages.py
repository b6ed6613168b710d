"""Networks, losses and gradients against the original's stored stages."""

import numpy as np
import pytest
from keras import ops

from reverbsynth.gan import losses
from reverbsynth.gan.model import fade_in_real
from reverbsynth.gan.schedule import Schedule, blocks, box_factor

from .conftest import compiled, our_name, real_images, thin_settings
from .test_schedule import progress_at, stage_at

LOSSES = {
    "generator_loss": "generator_loss",
    "discriminator_loss": "discriminator_loss",
    "generator_wasserstein": "generator_wass_loss",
    "discriminator_wasserstein": "discriminator_wass_loss",
    "gradient_penalty": "gradient_penalty_loss",
    "real_score_penalty": "real_score_penalty",
    "fake_pitch_loss": "fake_ac_loss",
    "real_pitch_loss": "real_ac_loss",
}


def numpy(value) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(value))


def native_real(model, stage: int, progress):
    from reverbsynth.spectra.scaling import downscale

    factor = box_factor(blocks(stage))
    return fade_in_real(downscale(ops.convert_to_tensor(real_images(2)), factor), progress, stage)


@pytest.fixture(scope="module")
def computed(original_stage):
    """Everything the reference stored, computed by our model."""
    stage, arrays, model = original_stage
    schedule = Schedule.of(thin_settings().training)
    image_id = int(arrays["image_id"])
    assert stage_at(schedule, image_id) == stage
    model.images_seen.assign(image_id)
    progress = model.progress()
    real = native_real(model, stage, progress)
    z = ops.convert_to_tensor(arrays["z"])
    asked = {"pitch": ops.convert_to_tensor(arrays["gen_pitch_index"])}
    shown = {"pitch": ops.convert_to_tensor(arrays["real_pitch_index"])}
    fake = model.generate(z, asked, progress)
    terms, generator = compiled(lambda: model.generator_gradients(z, asked, progress))
    alpha = ops.convert_to_tensor(arrays["gp_alpha"])
    more, discriminator = compiled(
        lambda: model.discriminator_gradients(real, shown, fake, alpha, progress)
    )
    return {
        "progress": progress,
        "real": real,
        "fake": fake,
        "fake_judged": model.discriminator(fake, progress),
        "real_judged": model.discriminator(real, progress),
        "terms": {**terms, **more},
        "generator": generator,
        "discriminator": discriminator,
    }


def test_progress(original_stage, computed):
    _, arrays, _model = original_stage
    assert float(computed["progress"]) == pytest.approx(float(arrays["progress"]), abs=1e-7)
    schedule = Schedule.of(thin_settings().training)
    expected = pytest.approx(float(arrays["progress"]))
    assert progress_at(schedule, int(arrays["image_id"])) == expected


def test_generated_images(original_stage, computed):
    _, arrays, _ = original_stage
    expected = arrays["generated"]
    assert computed["fake"].shape == expected.shape
    assert np.abs(numpy(computed["fake"]) - expected).max() <= 1e-4 * np.abs(expected).max()


def test_real_images_are_blended(original_stage, computed):
    _, arrays, _ = original_stage
    expected = arrays["real_blended"]
    assert np.abs(numpy(computed["real"]) - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_scores_and_logits(original_stage, computed, kind):
    _, arrays, _ = original_stage
    score, logits = computed[f"{kind}_judged"]
    assert np.abs(numpy(score) - arrays[f"{kind}_logits"][:, 0]).max() <= 1e-4
    assert np.abs(numpy(logits["pitch"]) - arrays[f"{kind}_pitch_logits"]).max() <= 1e-4


@pytest.mark.parametrize("ours", LOSSES)
def test_losses(original_stage, computed, ours):
    _, arrays, _ = original_stage
    assert float(computed["terms"][ours]) == pytest.approx(float(arrays[LOSSES[ours]]), rel=1e-4)


@pytest.mark.parametrize(("kind", "stored"), [("fake", "fake_gl_loss"), ("real", "real_gl_loss")])
def test_griffin_lim_consistency(original_stage, computed, kind, stored):
    _, arrays, model = original_stage
    found = losses.griffin_lim_consistency(computed[kind], model.representation)
    assert float(found) == pytest.approx(float(arrays[stored]), rel=1e-4)


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_gradients(original_stage, computed, network):
    _, arrays, model = original_stage
    ours = dict(
        zip(
            (id(v) for v in getattr(model, network).trainable_variables),
            computed[network],
            strict=True,
        )
    )
    named = getattr(model, network).named_variables()
    checked = 0
    for key in arrays:
        if not key.startswith(f"g:{network.capitalize()}/"):
            continue
        stored, found = arrays[key], numpy(ours[id(named[our_name(key[2:])])])
        if stored.shape == found.shape:
            error = np.linalg.norm(found - stored)
        else:
            error = abs(np.linalg.norm(found) - stored.item())
        assert error <= 1e-3 * np.linalg.norm(stored), key
        checked += 1
    assert checked == len(named)
