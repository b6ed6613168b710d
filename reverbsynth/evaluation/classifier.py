"""Listeners: small classifiers of pitch or effect, trained on a data set's own notes.

No weights are downloaded. A listener is trained once for a data set, in well under a minute on two
cores, and kept in the data set's folder.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import keras
import librosa
import numpy as np
from keras import layers

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.spectrum import FLOOR, from_peak, mel_levels
from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation.clips import Clips
from reverbsynth.files.tensors import load_tensors, save_tensors
from reverbsynth.progress import batched
from reverbsynth.seeds import generator
from reverbsynth.settings import EvaluationSettings, settings_hash

FEATURES = 32
"""Size of the layer before the last: the features of Fréchet and kernel distance."""

BINS_PER_SEMITONE = 2

LOWEST = 24
"""MIDI pitch of the lowest constant-Q bin (32.7 Hz); lower notes are heard by their harmonics."""

_OCTAVES = 7.75
_HOP = 8000

_DEEP = -100.0
"""Lowest level in dB that a listener for effects is given: tails are faint."""

_VERSION = 1
_FILTERS = 32
_RATE = 2e-3
_AT_ONCE = 256


@dataclass(frozen=True)
class Predictions:
    """What a listener makes of notes.

    Attributes
    ----------
    probabilities : ndarray [shape=(n, classes)]
    features : ndarray [shape=(n, 32)]
        The layer before the last, each feature with mean 0 and variance 1 on the training notes.
    values : list
        What each class is.
    """

    probabilities: np.ndarray
    features: np.ndarray
    values: list

    @property
    def best(self) -> np.ndarray:
        """The most probable value for each note [shape=(n,)]."""
        return np.array(self.values, object)[self.probabilities.argmax(axis=1)]


class LabelClassifier:
    """A classifier of one label. Use `trained`.

    Attributes
    ----------
    label : str
    values : list
        What each class is.
    """

    def __init__(self, label: str, values: list, weights: list[np.ndarray] | None = None):
        self.label, self.values = label, values
        shape = _features(label, np.zeros((1, 64000), np.float32)).shape[1:]
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
        """The listener of a data set: found in its folder, or trained on its training split.

        Raises
        ------
        ReverbSynthError
            When the data set has one value of the label only.
        """
        values = list(data.vocabulary(label))
        if len(values) < 2:
            raise ReverbSynthError(
                f"{data.directory}: every note has {label} {values[0]}, expected at least two kinds"
            )
        sizes = (settings.classifier_steps, settings.classifier_batch, settings.real_notes)
        key = settings_hash([_VERSION, label, values, sizes, seed, data.sha256])
        path = Path(data.directory) / "listeners" / f"{label}-{key}.safetensors"
        if path.exists():
            return cls.load(path)
        listener = cls(label, values)
        listener.train(Clips.of(data, ("train",), settings.real_notes, seed), settings, seed)
        listener.save(path)
        return listener

    def save(self, path: Path) -> None:
        """Write the listener to a safetensors file."""
        arrays = [*self._model.get_weights(), self._mean, self._deviation]
        tensors = {f"{place:02d}": array for place, array in enumerate(arrays)}
        save_tensors(path, tensors, {"label": self.label, "values": json.dumps(self.values)})

    @classmethod
    def load(cls, path: Path) -> "LabelClassifier":
        """Read what `save` wrote.

        Raises
        ------
        ReverbSynthError
            For another file, or a damaged one.
        """
        tensors, metadata = load_tensors(path)
        try:
            weights = [tensors[name] for name in sorted(tensors)]
            return cls(metadata["label"], json.loads(metadata["values"]), weights)
        except (KeyError, ValueError):
            raise ReverbSynthError(f"{path}: not a listener; remove it to train anew") from None

    def hear(self, waves: np.ndarray) -> Predictions:
        """Listen to notes [shape=(n, 64000)], finite ones."""
        if not len(waves):
            return Predictions(
                np.empty((0, len(self.values))), np.empty((0, FEATURES)), self.values
            )
        logits, features = self._model.predict(_features(self.label, waves), verbose=0)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        return Predictions(probabilities, (features - self._mean) / self._deviation, self.values)

    def train(self, clips: Clips, settings: EvaluationSettings, seed: int = 0) -> None:
        """Train on notes; the same seed draws the same batches."""
        features = _features(self.label, clips.waves)
        place = {value: number for number, value in enumerate(self.values)}
        classes = np.array([place[value] for value in getattr(clips, self.label)], np.int32)
        batches = _Varied(features, classes, self, settings, seed)
        trainee = keras.Model(self._model.input, self._model.outputs[0])
        schedule = keras.optimizers.schedules.CosineDecay(_RATE, len(batches))
        trainee.compile(
            keras.optimizers.Adam(schedule),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=keras.backend.backend() == "jax",
        )
        trainee.fit(batches, epochs=1, shuffle=False, verbose=0)
        found = self._model.predict(features, verbose=0)[1]
        self._mean = found.mean(axis=0)
        self._deviation = np.maximum(found.std(axis=0), 1e-3)


class _Varied(keras.utils.PyDataset):
    """Batches of notes, each varied anew, the same for the same seed.

    Pitch: transposed by up to an octave, which on a logarithmic axis of frequency is a shift, so
    that each pitch is heard with the timbres of its neighbours. Anything else: smeared over time,
    as low resolutions do, and over a floor of noise. Both: tilted, and every level a little off.
    """

    _SHIFT = 12
    _SMEAR = (1, 1, 2, 3, 4, 4, 6, 8)

    def __init__(
        self, features, classes, listener: LabelClassifier, settings: EvaluationSettings, seed
    ):
        super().__init__()
        self._features, self._classes, self._listener = features, classes, listener
        self._steps, self._batch = settings.classifier_steps, settings.classifier_batch
        self._seed = seed

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        rng = generator(self._seed, "listener", self._listener.label, str(step))
        rows = rng.integers(len(self._features), size=self._batch)
        batch, classes = self._features[rows], self._classes[rows]
        if self._listener.label == "pitch":
            steps = self._transpositions(classes, rng)
            batch = np.stack([_shifted(*each) for each in zip(batch, steps, strict=True)])
            classes = classes + steps
        else:
            widths = rng.choice(self._SMEAR, self._batch)
            batch = np.stack([_smeared(*each, rng) for each in zip(batch, widths, strict=True)])
            floor = np.maximum(rng.uniform(-0.2, 0.2, (self._batch, 1, 1)), 0)
            batch = np.maximum(batch, floor * rng.normal(1, 0.1, batch.shape))
        tilt = rng.normal(0, 0.1, (self._batch, 1, 1)) * self._slope(batch)
        gain = rng.normal(0, 0.1, (self._batch, 1, 1))
        varied = batch + gain + tilt + rng.normal(0, 0.03, batch.shape)
        return np.where(batch > 0, np.clip(varied, 0, 1), 0).astype(np.float32), classes

    def _transpositions(self, classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        last = len(self._listener.values) - 1
        lowest = np.maximum(-classes, -self._SHIFT)
        highest = np.minimum(last - classes, self._SHIFT)
        return rng.integers(lowest, highest + 1, dtype=np.int32)

    def _slope(self, batch: np.ndarray) -> np.ndarray:
        axis = 1 if self._listener.label == "pitch" else 2
        shape = [1, 1, 1]
        shape[axis] = batch.shape[axis]
        return np.linspace(-1, 1, batch.shape[axis]).reshape(shape)


def _features(label: str, waves: np.ndarray) -> np.ndarray:
    """What a listener is given, between 0 and 1: levels [shape=(n, bins, frames)] for pitch,
    [shape=(n, frames, bands)] for any other label.
    """
    if label != "pitch":
        floor = _DEEP
        levels = mel_levels(waves, bands=24, window=1024, hop=512, floor=floor)
    else:
        floor = FLOOR
        parts = []
        for some in batched(waves, _AT_ONCE):
            transform = librosa.pseudo_cqt(
                np.stack(some),
                sr=SAMPLE_RATE,
                hop_length=_HOP,
                fmin=librosa.midi_to_hz(LOWEST),
                n_bins=int(12 * BINS_PER_SEMITONE * _OCTAVES),
                bins_per_octave=12 * BINS_PER_SEMITONE,
            )
            parts.append(from_peak(20 * np.log10(np.maximum(np.abs(transform), 1e-10))))
        levels = np.concatenate(parts)
    return 1 - levels / floor


def _network(shape: tuple[int, ...], classes: int, seed: int = 0) -> keras.Model:
    """Three convolutions along the first axis, and two dense layers: logits and features."""
    counter = iter(range(seed, seed + 100))

    def start() -> keras.Initializer:
        return keras.initializers.GlorotUniform(seed=next(counter))

    inputs = keras.Input(shape)
    hidden = inputs
    for strides in (1, 2, 2):
        hidden = layers.Conv1D(
            _FILTERS,
            5,
            strides=strides,
            padding="same",
            activation="relu",
            kernel_initializer=start(),
            dtype="float32",
        )(hidden)
    hidden = layers.Dropout(0.3, seed=seed)(layers.Flatten()(hidden))
    dense = {"kernel_initializer": start(), "dtype": "float32"}
    features = layers.Dense(FEATURES, activation="gelu", **dense)(hidden)
    logits = layers.Dense(classes, kernel_initializer=start(), dtype="float32")(features)
    return keras.Model(inputs, [logits, features])


def _shifted(feature: np.ndarray, semitones: int) -> np.ndarray:
    """A constant-Q spectrum [shape=(bins, frames)], transposed."""
    bins = int(semitones) * BINS_PER_SEMITONE
    moved = np.roll(feature, bins, axis=0)
    if bins > 0:
        moved[:bins] = 0
    elif bins < 0:
        moved[bins:] = 0
    return moved


def _smeared(feature: np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    """Levels [shape=(frames, bands)], averaged over boxes of `width` frames."""
    if width == 1:
        return feature
    starts = np.unique(np.r_[0, np.arange(rng.integers(1, width + 1), len(feature), width)])
    lengths = np.diff(np.r_[starts, len(feature)])
    means = np.add.reduceat(feature, starts) / lengths[:, np.newaxis]
    return np.repeat(means, lengths, axis=0)
