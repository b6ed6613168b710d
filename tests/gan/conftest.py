"""The original's stored stages as models of ours."""

import re

import keras
import numpy as np
import pytest

from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.gan.networks import Discriminator, Generator
from reverbsynth.settings import Settings

_BLOCK = re.compile(
    r".*/(progressive_gan_)(block_\d+)/(conv0|conv1|to_rgb|from_rgb)/(?:conv2d/)?(\w+)"
)

_HEADS = {"/logits/": "score", "/classification_logits/": "pitch_logits"}


def our_name(original: str) -> str | None:
    """The name a variable of the original has here, or None where it has none."""
    for head, name in _HEADS.items():
        if head in original:
            return f"{name}/{original.rsplit('/', 1)[-1]}"
    found = _BLOCK.fullmatch(original)
    return f"{found[2]}/{found[3]}/{found[4]}" if found else None


def load_networks(
    weights: dict[str, np.ndarray], generator: Generator, discriminator: Discriminator
) -> None:
    """Assign weights by their original names to both networks; every variable must be there."""
    for scope, network in (("Generator/", generator), ("Discriminator/", discriminator)):
        ours = {our_name(k): v for k, v in weights.items() if k.startswith(scope)}
        for name, variable in network.named_variables().items():
            variable.assign(ours[name])


def compiled(function):
    """The result of a function; on JAX of it compiled as a whole, which operation by operation
    would take a minute.
    """
    if keras.backend.backend() != "jax":
        return function()
    import jax

    return jax.jit(function)()


PITCHES = list(range(24, 85))
PITCH = LabelSpace({"pitch": PITCHES})


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
