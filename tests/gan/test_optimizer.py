"""One step of the optimizer and of the average, against their published forms."""

import numpy as np
import pytest
from keras import ops

from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.gan.optimizer import PairedAdam
from reverbsynth.settings import Settings

from .conftest import PITCH, PITCHES, load_networks, thin_settings, uniform_histogram

OWN = {"generator_rate": 1e-3, "discriminator_rate": 3e-4, "beta_1": 0.5, "ema_decay": 0.9}


@pytest.fixture(params=[{}, OWN], ids=["paper", "own"])
def model(fixtures, request):
    arrays = dict(np.load(fixtures / "stage_04.npz"))
    settings = thin_settings(**{f"optimizer.{name}": each for name, each in request.param.items()})
    model = ProgressiveGAN(settings, PITCH, uniform_histogram(len(PITCHES)), 4)
    weights = {key[2:]: value for key, value in arrays.items() if key.startswith("w:")}
    load_networks(weights, model.generator, model.discriminator)
    return model


def adam(weight, gradients, rate, beta_1, beta_2=0.99, epsilon=1e-8):
    """Adam as TensorFlow 1 computes it, in float64: epsilon outside the bias correction."""
    m = v = np.zeros_like(weight, np.float64)
    for t, gradient in enumerate(gradients, 1):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient.astype(np.float64) ** 2
        step = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        weight = weight - step * m / (np.sqrt(v) + epsilon)
    return weight


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_steps_are_those_of_tensorflow_1(model, name):
    rng = np.random.default_rng(0)
    variables = getattr(model, name).trainable_variables
    before = [np.asarray(v.value).copy() for v in variables]
    # From large to so small that epsilon decides.
    gradients = [
        [
            (rng.standard_normal(v.shape) * 10.0 ** rng.uniform(-9, 0, v.shape)).astype("float32")
            for v in variables
        ]
        for _ in range(3)
    ]
    optimizer, own = getattr(model.optimizer, name), model.settings.optimizer
    rate = own.generator_rate if name == "generator" else own.discriminator_rate
    for step in gradients:
        optimizer.apply([ops.convert_to_tensor(g) for g in step], variables)
    for i, variable in enumerate(variables):
        expected = adam(before[i], [step[i] for step in gradients], rate, own.beta_1)
        assert np.abs(np.asarray(variable.value) - expected).max() <= 1e-6


def test_average_is_not_debiased(model):
    rng = np.random.default_rng(1)
    starts = {}
    for name, variable in model.ema_generator.named_variables().items():
        starts[name] = rng.standard_normal(variable.shape).astype("float32")
        variable.assign(starts[name])
    for _ in range(2):
        model.update_average()
    decay = {0.0: 0.999, 0.5: OWN["ema_decay"]}[model.settings.optimizer.beta_1]
    for name, variable in model.ema_generator.named_variables().items():
        weight = np.asarray(model.generator.named_variables()[name].value, np.float64)
        expected = starts[name].astype(np.float64)
        for _ in range(2):
            expected = decay * expected + (1 - decay) * weight
        assert np.abs(np.asarray(variable.value) - expected).max() <= 1e-6


def test_both_rates_fall_along_a_cosine():
    settings = Settings(optimizer={**OWN, "final_rate": 0.2}).optimizer
    paired = PairedAdam(settings)
    for share, factor in ((0.0, 1.0), (0.5, 0.6), (0.75, 0.2 + 0.8 * 0.1464466), (1.0, 0.2)):
        paired.lower_rates(share)
        for network, rate in ((paired.generator, 1e-3), (paired.discriminator, 3e-4)):
            assert float(network.learning_rate) == pytest.approx(factor * rate, rel=1e-5)
