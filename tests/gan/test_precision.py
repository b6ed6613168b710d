"""Convolutions in bfloat16: the same losses nearly, everything else in float32."""

import keras
import numpy as np
import pytest
from keras import ops

from reverbsynth.gan.model import ProgressiveGAN, fade_in_real
from reverbsynth.spectra.scaling import downscale

from .conftest import PITCH, PITCHES, compiled, real_images, thin_settings, uniform_histogram


@pytest.fixture(scope="module")
def terms():
    found = {}
    for precision in ("float32", "bfloat16"):
        settings = thin_settings(**{"training.precision": precision})
        model = ProgressiveGAN(settings, PITCH, uniform_histogram(len(PITCHES)), stage=3)
        model.images_seen.assign(2_700_000)
        progress = model.progress()
        rng = np.random.default_rng(0)
        z = ops.convert_to_tensor(rng.standard_normal((2, 256)), "float32")
        labels = {"pitch": ops.convert_to_tensor([3, 30])}
        real = fade_in_real(downscale(ops.convert_to_tensor(real_images(2)), 16), progress, 3)
        fake = model.generate(z, labels, progress)
        alpha = ops.convert_to_tensor(rng.uniform(size=(2, 1, 1, 1)), "float32")
        first, gradients = compiled(
            lambda m=model, z=z, y=labels, p=progress: m.generator_gradients(z, y, p)
        )
        more, others = compiled(
            lambda m=model, x=real, y=labels, f=fake, a=alpha, p=progress: (
                m.discriminator_gradients(x, y, f, a, p)
            )
        )
        found[precision] = ({**first, **more}, [*gradients, *others], model)
    return found


def test_losses_agree(terms):
    exact, rounded = terms["float32"][0], terms["bfloat16"][0]
    for name, value in exact.items():
        # bfloat16 has 8 bits of mantissa; scores are of order 0.1 and differences of them smaller.
        assert float(rounded[name]) == pytest.approx(float(value), rel=0.03, abs=0.02), name


def test_convolutions_are_in_bfloat16(terms):
    exact, rounded = terms["float32"][0], terms["bfloat16"][0]
    assert any(float(rounded[name]) != float(value) for name, value in exact.items())
    for network in (terms["bfloat16"][2].generator, terms["bfloat16"][2].discriminator):
        assert network.parts["block_2/conv0"].compute_dtype == "bfloat16"


def test_weights_and_gradients_stay_float32(terms):
    _, gradients, model = terms["bfloat16"]
    assert {keras.backend.standardize_dtype(g.dtype) for g in gradients} == {"float32"}
    assert {v.dtype for v in model.generator.variables} == {"float32"}
    assert all(np.isfinite(np.asarray(ops.convert_to_numpy(g))).all() for g in gradients)
