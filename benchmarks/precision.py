"""The losses of one training step in bfloat16 against those in float32, full-size networks.

    python benchmarks/precision.py WORK [--stages 0 4 8] [--batch 8] [--steps 4]

The paper's settings on the embedded notes (built in WORK, or found there). At each stage so many
steps are taken in float32, from fresh weights; then one model of each precision, with those same
weights, computes all losses and gradients of the same batch, latent vectors, labels and points of
the penalty. Printed are the losses in both precisions, how far they are apart, relative to the loss
in float32, and the cosine between both networks' gradients.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops

from reverbsynth.data.build import build_data
from reverbsynth.gan import schedule
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.settings import Settings
from reverbsynth.training.checkpoints import network_variables
from reverbsynth.training.input_pipeline import BatchSequence, SpectrogramCache

PRECISIONS = ("float32", "bfloat16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--stages", type=int, nargs="+", default=[0, 4, 8])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4)
    options = parser.parse_args()
    settings = Settings(name="paper").replace(**{"training.batch": options.batch})
    images = SpectrogramCache(build_data(settings, options.work / "data"), settings.spectra)
    print(f"{keras.backend.backend()}\nstage | term | float32 | bfloat16 | apart")
    for stage in options.stages:
        compare(settings, images, stage, options.steps)


def compare(settings: Settings, images: SpectrogramCache, stage: int, steps: int) -> None:
    """Print a line for each term, and one for each network's gradients."""
    space = LabelSpace({"pitch": images.data.vocabulary("pitch")})
    labels = images.labels(space)
    classes, counts = np.unique(labels, return_counts=True)
    histogram = np.stack([classes, counts], axis=1)
    models = [
        ProgressiveGAN(
            settings.replace(**{"training.precision": precision}), space, histogram, stage
        )
        for precision in PRECISIONS
    ]
    pixels = images.at_resolution(schedule.box_factor(schedule.blocks(stage)))
    batch, seed = settings.training.batch, settings.training_seed
    batches = BatchSequence(pixels, (labels,), batch, seed, 0, (steps + 1) * batch)
    if steps:
        shown = BatchSequence(pixels, (labels,), batch, seed, 0, steps * batch)
        models[0].fit(shown, shuffle=False, verbose=0)
        others = network_variables(models[1])
        for name, variable in network_variables(models[0]).items():
            others[name].assign(variable)
    real, asked = batches[steps]
    found = [evaluated(model, ops.convert_to_tensor(real), asked[:, 0]) for model in models]
    exact, rounded = (terms for terms, _ in found)
    for name, value in exact.items():
        apart = abs(rounded[name] - value) / max(abs(value), 1e-12)
        print(f"{stage} | {name} | {value:.6g} | {rounded[name]:.6g} | {apart:.2%}", flush=True)
    for network in ("generator", "discriminator"):
        one, other = (gradients[network] for _, gradients in found)
        cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
        print(f"{stage} | {network}'s gradients, cosine | | {cosine:.5f} |", flush=True)


def evaluated(model: ProgressiveGAN, real, asked) -> tuple[dict, dict]:
    """Losses by name, and each network's gradients as one vector."""
    batch = len(asked)
    rng = np.random.default_rng(1)
    latent_size = model.settings.gan.latent_size
    z, others = (
        ops.convert_to_tensor(rng.standard_normal((batch, latent_size)), "float32")
        for _ in range(2)
    )
    alpha = ops.convert_to_tensor(rng.uniform(size=(batch, 1, 1, 1)), "float32")
    progress, labels = model.progress(), {"pitch": ops.convert_to_tensor(asked)}

    def step():
        fake = model.generate(others, labels, progress)
        return (
            model.generator_gradients(z, labels, progress),
            model.discriminator_gradients(real, labels, fake, alpha, progress),
        )

    (first, one), (more, two) = compiled(step)
    terms = {name: float(value) for name, value in {**first, **more}.items()}
    flat = {
        network: np.concatenate([ops.convert_to_numpy(g).ravel() for g in gradients])
        for network, gradients in (("generator", one), ("discriminator", two))
    }
    return terms, flat


def compiled(function):
    """The function's result, from one graph."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)()
    import tensorflow as tf

    return tf.function(function)()


if __name__ == "__main__":
    main()
