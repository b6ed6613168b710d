"""The original's stored stages as models of ours."""

import keras
import numpy as np
import pytest

from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.magenta import load_networks
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.settings import Settings


def compiled(function):
    """The result of a function; on JAX of it compiled as a whole, which operation by operation
    would take a minute.
    """
    if keras.backend.backend() != "jax":
        return function()
    import jax

    return jax.jit(function)()


PITCHES = list(range(24, 85))
PITCH = LabelSpace.of({"pitch": PITCHES})


def thin_settings(**overrides) -> Settings:
    """Settings of the stored networks: filters at most 16, 61 pitches, the paper's schedule."""
    return Settings.preset(
        "paper",
        **{"gan.filters_base": 256, "gan.filters_max": 16, "training.batch": 2, **overrides},
    )


def uniform_histogram(n: int) -> np.ndarray:
    return np.stack([np.arange(n), np.ones(n, int)], axis=1)


def real_images(batch: int) -> np.ndarray:
    """The reference's real batch, by formula, at full size [shape=(batch, 128, 1024, 2)]."""
    b, t, f = np.ogrid[:batch, :128, :1024]
    magnitude = -12 + 10 * np.exp(-f / 200) * np.exp(-t / 60) * (
        1 + 0.3 * np.sin(0.37 * t + 0.11 * f + b)
    )
    frequency = 0.9 * np.sin(0.05 * f + 0.21 * t + 0.7 * b) * np.exp(-f / 700)
    return np.stack([magnitude, frequency], axis=-1).astype("float32")


@pytest.fixture(scope="module", params=[3, 4])
def original_stage(request, fixtures):
    """A stored stage: (stage, arrays, model with the stored weights)."""
    stage = request.param
    arrays = dict(np.load(fixtures / f"stage_{stage:02d}.npz"))
    model = ProgressiveGAN(thin_settings(), PITCH, uniform_histogram(len(PITCHES)), stage)
    weights = {key[2:]: value for key, value in arrays.items() if key.startswith("w:")}
    load_networks(weights, model.generator, model.discriminator)
    return stage, arrays, model
