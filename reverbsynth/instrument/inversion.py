"""Find the latent vector and labels that make a generator play a recorded note.

By gradient descent through the network, from several starts at once. Zhu et al., "Generative
Visual Manipulation on the Natural Image Manifold" (2016), section 3.1; the latent vector is held to
lengths that N(0, 1) has, much as Menon et al., "PULSE" (2020), hold it on a sphere.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from reverbsynth.gan import schedule
from reverbsynth.gan.architecture import condition_size
from reverbsynth.gan.backend import backend
from reverbsynth.gan.networks import Generator
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.spectra.representation import Representation, compile_function
from reverbsynth.spectra.scaling import downscale

RATE = 0.2  # Adam's learning rate, which falls to zero along half a cosine.
CANDIDATES = 16  # Random points that are tried for each start; the best are the starts.
COMPARED = 16  # Generated notes that a recording's level is compared with.
# Two standard deviations of the length of a Gaussian vector, which is about sqrt(size).
SPREAD = math.sqrt(2)
_DECIBELS = 10 / math.log(10)  # Of one unit of an image's magnitude, the logarithm of a power.


@dataclass(frozen=True)
class Fit:
    """The result of a search: a latent vector, and a value or mixture of each label but pitch.

    ``error`` is the root mean square difference of the log-magnitude images, in dB. ``errors``
    [shape=(starts,)] and ``latents`` [shape=(starts, latent_size)] are those of every start.
    """

    z: np.ndarray
    labels: dict[str, Any]
    error: float
    errors: np.ndarray
    latents: np.ndarray


def level_of(magnitudes) -> float:
    """Logarithm of the sum of all magnitudes of an image."""
    return float(ops.logsumexp(magnitudes))


class Inversion:
    """A search through one generator; ``condition`` is that of its instrument."""

    def __init__(self, generator: TrainedGenerator, condition: Callable[..., np.ndarray]):
        self._labels, self._condition = generator.labels, condition
        self._size = generator.gan.latent_size
        # Numbers that tell each label: where the pitch is one, it has no block.
        self._widths = self._labels.sizes
        width = condition_size(generator.gan, self._labels)
        self._widths["pitch"] += width - self._labels.width
        self._ends = np.cumsum(list(self._widths.values()))[:-1].tolist()
        self._progress = ops.convert_to_tensor(generator.progress, "float32")
        self._representation = Representation(generator.spectra)
        self._factor = schedule.box_factor(schedule.blocks(generator.stage))
        self._network = Generator(
            generator.gan, width, generator.stage, representation=self._representation
        )
        for name, variable in self._network.named_variables().items():
            variable.assign(generator.weights[name])
        self._losses = compile_function(self._image_losses)
        self._descent = compile_function(
            lambda point, *given: backend.input_gradient(
                lambda inner: ops.sum(self._image_losses(inner, *given)), point
            )
        )

    def fit(
        self,
        recording: np.ndarray,
        pitch: float,
        known: Mapping[str, Any],
        seed: int,
        starts: int,
        steps: int,
        progress: Callable[[int, int], None] | None = None,
    ) -> Fit:
        """Search for the latent vector and labels of a note [shape=(64000,)].

        Labels whose value or mixture is ``known`` need no search; the rest is as in `apply_effect`.
        """
        given = self._target(recording), *self._fixed(pitch, known)
        rng = np.random.default_rng(seed)
        width = given[1].shape[1]
        drawn = rng.standard_normal((starts * CANDIDATES, self._size + width), np.float32)
        batches = (drawn[i : i + starts] for i in range(0, len(drawn), starts))
        first = [ops.convert_to_numpy(self._losses(batch, *given)) for batch in batches]
        best = np.sort(np.argsort(np.concatenate(first), kind="stable")[:starts])
        point = keras.Variable(drawn[best], dtype="float32")
        rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
        adam = keras.optimizers.Adam(rate, beta_2=0.99)
        for step in range(steps):
            adam.apply([self._descent(point.value, *given)], [point])
            if progress:
                progress(step + 1, steps)
        losses = ops.convert_to_numpy(self._losses(point.value, *given))
        errors = _DECIBELS * np.sqrt(losses)
        winner = int(np.argmin(errors))
        z, told = map(ops.convert_to_numpy, self._constrained(point.value, *given[1:]))
        labels = self._label_values(told[winner], known)
        return Fit(z[winner], labels, float(errors[winner]), errors, z)

    def gain(self, recording: np.ndarray, pitch: float, known: Mapping[str, Any]) -> float:
        """The factor that gives a recording the level of the generator's notes.

        Levels are those of the images that are compared, not of the waves: a generated note's
        phases do not add up to as high a peak. A label that is not known gets random values.
        """
        fixed, free = self._fixed(pitch, known)
        rng = np.random.default_rng(0)
        drawn = rng.standard_normal((COMPARED, self._size + fixed.shape[1]), np.float32)
        # So far apart that a mixture is one value.
        drawn[:, self._size :] *= 1_000
        levels = [level_of(self._log_magnitudes(row[None], fixed, free)) for row in drawn]
        peak = float(np.abs(recording).max())
        loud, half = (level_of(self._target(recording / (peak * by))) for by in (1, 2))
        slope = (loud - half) / math.log(2)
        return math.exp((np.median(levels) - loud) / slope) / peak

    def _target(self, recording: np.ndarray):
        """The note's log-magnitudes at the stage's resolution [shape=(1, frames, bins)]."""
        image = self._representation.encode(ops.convert_to_tensor(recording[np.newaxis], "float32"))
        return downscale(image, self._factor)[..., 0]

    def _fixed(self, pitch: float, known: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """What tells the known labels, and a mask of the others' blocks [shape=(1, width)]."""
        searched = [name != "pitch" and name not in known for name in self._labels]
        free = np.repeat(np.array(searched, np.float32), list(self._widths.values()))[None]
        return self._condition([pitch], **known) * (1 - free), free

    def _constrained(self, point, fixed, free):
        """Free parameters as latent vectors of a common length, and labels that are mixtures."""
        z, logits = point[:, : self._size], point[:, self._size :]
        length = ops.sqrt(ops.sum(z**2, axis=1, keepdims=True))
        usual = math.sqrt(self._size)
        z = z * ops.clip(length, max(usual - SPREAD, 0.0), usual + SPREAD) / length
        blocks = [
            ops.exp(part - ops.logsumexp(part, axis=1, keepdims=True))
            for part in ops.split(logits, self._ends, axis=1)
        ]
        return z, fixed + free * ops.concatenate(blocks, axis=1)

    def _image_losses(self, point, target, fixed, free):
        """Mean square difference of log-magnitudes [shape=(starts,)]."""
        return ops.mean((self._log_magnitudes(point, fixed, free) - target) ** 2, axis=(1, 2))

    def _log_magnitudes(self, point, fixed, free):
        """Log-magnitudes of the generated images [shape=(starts, frames, bins)]."""
        image = self._network(*self._constrained(point, fixed, free), self._progress)
        return self._representation.denormalize(image)[..., 0]

    def _label_values(self, told: np.ndarray, known: Mapping[str, Any]) -> dict[str, Any]:
        """Values or mixtures of all labels but pitch, read from their one-hot blocks."""
        labels = dict(known)
        blocks = np.split(told.astype(float), self._ends)
        for name, weights in zip(self._labels, blocks, strict=True):
            if name != "pitch" and name not in known:
                shares = (weights / weights.sum()).tolist()
                labels[name] = dict(zip(self._labels[name], shares, strict=True))
        return labels
