"""Samples of a stage: images of notes, real ones and what the generator makes of their labels."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from reverbsynth.errors import RunError
from reverbsynth.files.atomic import atomic_path
from reverbsynth.gan.schedule import final_progress
from reverbsynth.seeds import evenly_spaced

if TYPE_CHECKING:
    from reverbsynth.gan.model import ProgressiveGAN

_KINDS = ("real", "generated")


@dataclass(frozen=True)
class Samples:
    """Real and generated images of one stage, with the same labels, a value for each image.

    Images are de-normalized, at the stage's resolution [shape=(n, frames, bins, 2)].
    """

    real: np.ndarray
    generated: np.ndarray
    labels: dict[str, list]

    @classmethod
    def load(cls, path: Path) -> "Samples":
        """The samples that a file keeps."""
        try:
            with np.load(path) as stored:
                real, generated = (stored[kind].astype(np.float32) for kind in _KINDS)
                return cls(real, generated, json.loads(str(stored["labels"])))
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise RunError(f"{path}: cannot be read ({error})") from None

    def save(self, path: Path, dtype: type = np.float32) -> None:
        """Write the samples to a file, atomically."""
        images = {kind: getattr(self, kind).astype(dtype) for kind in _KINDS}
        with atomic_path(path) as temporary:
            np.savez_compressed(temporary, labels=json.dumps(self.labels), **images)

    @property
    def pitch(self) -> np.ndarray:
        """MIDI pitches [shape=(n,)]."""
        return np.asarray(self.labels["pitch"])

    def subset(self, count: int) -> "Samples":
        """At most ``count`` samples, evenly spaced: they lie in the data set's order."""
        rows = evenly_spaced(len(self.real), count)
        labels = {name: [values[row] for row in rows] for name, values in self.labels.items()}
        return Samples(self.real[rows], self.generated[rows], labels)


def draw_samples(model: "ProgressiveGAN", pixels: np.ndarray, labels: np.ndarray) -> Samples:
    """Evenly spaced training images, and images that the EMA generator makes of their labels.

    From all images at the stage's resolution [shape=(n, frames, bins, 2)] and their class indices
    [shape=(n, n_labels)]. Latent vectors are those of every stage, so that stages can be compared.
    """
    from keras import ops

    settings = model.settings
    rows = evenly_spaced(len(pixels), settings.training.samples)
    rng = np.random.default_rng(settings.training_seed)
    z = rng.standard_normal((len(rows), settings.gan.latent_size), np.float32)
    classes = {name: labels[rows, i] for i, name in enumerate(model.labels)}
    p = final_progress(settings.training, model.stage)
    generated = ops.convert_to_numpy(model.generate(z, classes, p, model.ema_generator))
    shown = {name: [model.labels[name][k] for k in of] for name, of in classes.items()}
    return Samples(pixels[rows], generated, shown)
