"""Small networks that predict pitch or effect, trained once for a data set and kept with it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from scipy import ndimage, special

from reverbsynth import provenance
from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.audio.spectrum import BINS_PER_SEMITONE, FLOOR, constant_q_levels, mel_levels
from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import DataError
from reverbsynth.evaluation.clips import Clips
from reverbsynth.files.tensors import load_tensors, save_tensors
from reverbsynth.seeds import generator
from reverbsynth.settings import EvaluationSettings

FEATURES = 32  # size of the layer before the last
FOLDER = "classifiers"
_FILTERS = 32
_LEARNING_RATE = 2e-3
_MAX_SHIFT = 12
_SMEAR_WIDTHS = (1, 1, 2, 3, 4, 4, 6, 8)


@dataclass(frozen=True)
class Predictions:
    """Probabilities [shape=(n, classes)], and standardized features [shape=(n, 32)]."""

    probabilities: np.ndarray
    features: np.ndarray
    values: list

    @property
    def best(self) -> np.ndarray:
        """The most probable value for each note [shape=(n,)]."""
        return np.array(self.values, object)[self.probabilities.argmax(axis=1)]


class LabelClassifier:
    """A classifier of one label, with a value for each class. Use `trained`."""

    def __init__(self, label: str, values: list, weights: list[np.ndarray] | None = None):
        self.label, self.values = label, values
        shape = _inputs(label, np.zeros((1, NOTE_LENGTH), np.float32)).shape[1:]
        self._model = _network(shape, len(values))
        self._mean = np.zeros(FEATURES, np.float32)
        self._deviation = np.ones(FEATURES, np.float32)
        if weights is not None:
            *weights, self._mean, self._deviation = weights
            self._model.set_weights(weights)

    @classmethod
    def trained(
        cls, data: DataSet, label: str, settings: EvaluationSettings, seed: int = 0
    ) -> "LabelClassifier":
        """Load a data set's classifier from its folder, or train it on its training split.

        One of another key, by other settings or other code, is replaced; a damaged file is an
        error.
        """
        values = list(data.vocabulary(label))
        if len(values) < 2:
            found = f"{data.directory}: every note has {label} {values[0]}"
            raise DataError(f"{found}, expected at least two kinds")
        sizes = [settings.classifier_steps, settings.classifier_batch, settings.real_notes]
        key = json.dumps([label, values, sizes, seed, data.sha256, provenance.code_hash()])
        path = Path(data.directory) / FOLDER / f"{label}.safetensors"
        if path.exists():
            tensors, metadata = load_tensors(path)
            if metadata.get("key") == key:
                return cls(label, values, [tensors[name] for name in sorted(tensors)])
        classifier = cls(label, values)
        classifier.train(Clips.of(data, ("train",), settings.real_notes, seed), settings, seed)
        arrays = [*classifier._model.get_weights(), classifier._mean, classifier._deviation]
        tensors = {f"{index:02d}": array for index, array in enumerate(arrays)}
        save_tensors(path, tensors, {"key": key})
        return classifier

    def predict(self, waves: np.ndarray) -> Predictions:
        """Predict the label of notes [shape=(n, 64000)], which must be finite."""
        logits, features = np.empty((0, len(self.values))), np.empty((0, FEATURES))
        if len(waves):
            logits, features = self._outputs(_inputs(self.label, waves))
        probabilities = special.softmax(logits.astype(np.float64), axis=1)
        return Predictions(probabilities, (features - self._mean) / self._deviation, self.values)

    def train(self, clips: Clips, settings: EvaluationSettings, seed: int = 0) -> None:
        inputs, steps = _inputs(self.label, clips.waves), settings.classifier_steps
        known = [self.values.index(value) for value in getattr(clips, self.label)]
        classes, last = np.array(known, np.int32), len(self.values) - 1
        size = settings.classifier_batch
        batches = _augmented_batches(self.label, inputs, classes, last, size, seed)
        model = keras.Model(self._model.input, self._model.outputs[0])
        schedule = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
        model.compile(
            keras.optimizers.Adam(schedule),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=keras.backend.backend() == "jax",
        )
        model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
        _, features = self._outputs(inputs)
        self._mean = features.mean(axis=0)
        self._deviation = np.maximum(features.std(axis=0), 1e-3)

    def _outputs(self, inputs: np.ndarray) -> list[np.ndarray]:
        """Logits and features; to call it takes less than to compile Keras' loop of batches."""
        return list(map(keras.ops.convert_to_numpy, self._model(inputs, training=False)))


def _augmented_batches(
    label: str, inputs: np.ndarray, classes: np.ndarray, last: int, size: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches of augmented notes, the same for the same seed.

    Pitch: transposed by up to an octave, so that each pitch is learned with the timbres of its
    neighbours. Other labels: smeared over time, as by low resolutions, and over a floor of noise.
    Both: tilted, and with noise on every level.
    """
    each = (size, 1, 1)
    for step in count():
        rng = generator(seed, "classifier", label, str(step))
        rows = rng.integers(len(inputs), size=size)
        batch, known = inputs[rows], classes[rows]
        if label == "pitch":
            lowest = np.maximum(-known, -_MAX_SHIFT)
            highest = np.minimum(last - known, _MAX_SHIFT)
            semitones = rng.integers(lowest, highest + 1, dtype=np.int32)
            shifts = zip(batch, BINS_PER_SEMITONE * semitones, strict=True)
            batch = np.stack([ndimage.shift(note, (bins, 0), order=0) for note, bins in shifts])
            known = known + semitones
            tilt = np.linspace(-1, 1, batch.shape[1])[:, np.newaxis]
        else:
            widths = rng.choice(_SMEAR_WIDTHS, len(batch))
            batch = np.stack([_smeared(*pair, rng) for pair in zip(batch, widths, strict=True)])
            floor = np.maximum(rng.uniform(-0.2, 0.2, each), 0)
            batch = np.maximum(batch, floor * rng.normal(1, 0.1, batch.shape))
            tilt = np.linspace(-1, 1, batch.shape[2])
        tilt = rng.normal(0, 0.1, each) * tilt
        gain = rng.normal(0, 0.1, each)
        augmented = batch + gain + tilt + rng.normal(0, 0.03, batch.shape)
        yield np.where(batch > 0, np.clip(augmented, 0, 1), 0).astype(np.float32), known


def _inputs(label: str, waves: np.ndarray) -> np.ndarray:
    """Return levels between 0 and 1: of pitch (n, bins, frames), of others (n, frames, bands)."""
    if label != "pitch":
        return 1 - mel_levels(waves, bands=24, window=1024, hop=512) / FLOOR
    return 1 - constant_q_levels(waves) / FLOOR


def _network(shape: tuple[int, ...], classes: int) -> keras.Model:
    """Three convolutions along the first axis and two dense layers: logits and features."""
    inputs = hidden = keras.Input(shape)

    def options(seed: int, activation: str | None) -> dict[str, Any]:
        initializer = keras.initializers.GlorotUniform(seed=seed)
        return {"kernel_initializer": initializer, "activation": activation, "dtype": "float32"}

    for seed, strides in enumerate((1, 2, 2)):
        hidden = layers.Conv1D(_FILTERS, 5, strides, "same", **options(seed, "relu"))(hidden)
    hidden = layers.Dropout(0.3, seed=0)(layers.Flatten()(hidden))
    features = layers.Dense(FEATURES, **options(3, "gelu"))(hidden)
    logits = layers.Dense(classes, **options(4, None))(features)
    return keras.Model(inputs, [logits, features])


def _smeared(levels: np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    """Average levels [shape=(frames, bands)] over boxes of `width` frames."""
    if width == 1:
        return levels
    starts = np.unique(np.r_[0, np.arange(rng.integers(1, width + 1), len(levels), width)])
    lengths = np.diff(np.r_[starts, len(levels)])
    means = np.add.reduceat(levels, starts) / lengths[:, np.newaxis]
    return np.repeat(means, lengths, axis=0)
