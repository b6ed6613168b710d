"""A trained generator as a thing to play, and the one file it is kept in.

The file is safetensors: weights, and in its metadata a JSON document with everything else. It
holds no code and opening it runs none; no training set is needed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from pydantic import ValidationError

from reverbsynth import provenance
from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan import stages
from reverbsynth.gan.layers import upscale
from reverbsynth.gan.networks import Generator
from reverbsynth.gan.original import read_original
from reverbsynth.runs import Run, load_tensors, save_tensors
from reverbsynth.settings import GanSettings, SpectraSettings
from reverbsynth.spectra import Representation

FORMAT = "reverbsynth-instrument"
VERSION = 1
BATCH = 8
"""Notes generated at a time, which bounds memory."""


class Instrument:
    """A generator with all that is needed to play it.

    Use `from_run`, `from_original` or `load`.

    Attributes
    ----------
    labels : dict
        The values each label takes, in the order of their classes.
    stage : int
    facts : dict
        Provenance: where the weights came from.
    """

    def __init__(
        self,
        gan: GanSettings,
        spectra: SpectraSettings,
        labels: dict[str, list],
        stage: int,
        progress: float,
        weights: dict[str, np.ndarray],
        facts: dict[str, Any],
    ):
        self.gan, self.spectra = gan, spectra
        self.labels, self.stage, self.progress, self.facts = labels, stage, progress, facts
        self.representation = Representation(spectra)
        width = sum(len(values) for values in labels.values())
        self._generator = Generator(gan, width, stage)
        self._generator.trainable = False
        variables = self._generator.named_variables()
        if variables.keys() != weights.keys():
            odd = sorted(variables.keys() ^ weights.keys())[0]
            raise ReverbSynthError(f"instrument: weight {odd} is missing or out of place")
        for name, variable in variables.items():
            if weights[name].shape != tuple(variable.shape):
                raise ReverbSynthError(
                    f"instrument: weight {name} has shape {weights[name].shape}, "
                    f"expected {tuple(variable.shape)}"
                )
            variable.assign(weights[name].astype(np.float32))
        factor = stages.box_factor(stages.blocks(stage))
        self._painter = _Painter(self._generator, self.representation, progress, factor)
        self._player = _Player(self._painter, self.representation)

    @classmethod
    def from_run(cls, run: Run | Path | str, stage: int | None = None) -> "Instrument":
        """The averaged generator of a run, after a stage (the last finished one by default)."""
        if not isinstance(run, Run):
            run = Run.open(run)
        stage = run.stage(stage)
        prefix = "average/"
        weights = {
            name.removeprefix(prefix): value
            for name, value in run.weights(stage).items()
            if name.startswith(prefix)
        }
        kept = ("commit", "versions", "preset", "settings_hash", "data_sha256", "seed")
        facts = {key: run.manifest[key] for key in (*kept, "images_seen")}
        settings = run.settings
        progress = float(stages.blocks(stage) - 1)
        return cls(settings.gan, settings.spectra, run.labels, stage, progress, weights, facts)

    @classmethod
    def from_original(cls, directory: Path | str, lowest_pitch: int | None = None) -> "Instrument":
        """The averaged generator of an original GANSynth training directory.

        See `reverbsynth.gan.original.read_original`.
        """
        found = read_original(directory, lowest_pitch)
        facts = {
            "commit": provenance.commit(),
            "imported_from": found.directory.resolve().name,
            "images_seen": found.images_seen,
        }
        return cls(
            found.gan,
            found.spectra,
            {"pitch": found.pitches},
            found.stage,
            found.progress,
            found.weights,
            facts,
        )

    @classmethod
    def load(cls, path: Path | str) -> "Instrument":
        """Load an instrument.

        Raises
        ------
        ReverbSynthError
            For a file that is foreign, truncated, tampered with, or of another version.
        """
        path = Path(path)
        weights, metadata = load_tensors(path)
        if metadata.get("format") != FORMAT:
            raise ReverbSynthError(f"{path}: not an instrument (no {FORMAT} mark)")
        try:
            document = json.loads(metadata["instrument"])
            version = document["version"]
            if version != VERSION:
                raise ReverbSynthError(
                    f"{path}: instrument of version {version}, this package reads {VERSION}; "
                    "save it again from its run"
                )
            gan = GanSettings.model_validate(document["gan"])
            spectra = SpectraSettings.model_validate(document["spectra"])
            labels, stage, progress = _checked(document, gan)
            return cls(gan, spectra, labels, stage, progress, weights, dict(document["facts"]))
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            reason = " ".join(str(error).split())[:120]
            raise ReverbSynthError(f"{path}: damaged instrument ({reason})") from None
        except ReverbSynthError as error:
            message = str(error).removeprefix("instrument: ")
            raise ReverbSynthError(
                message if message.startswith(str(path)) else f"{path}: {message}"
            ) from None

    def save(self, path: Path | str, half: bool = False) -> None:
        """Write the instrument to one file; ``half`` keeps the weights in float16."""
        kind = np.float16 if half else np.float32
        weights = {
            name: ops.convert_to_numpy(variable.value).astype(kind)
            for name, variable in self._generator.named_variables().items()
        }
        document = {
            "version": VERSION,
            "gan": self.gan.model_dump(mode="json"),
            "spectra": self.spectra.model_dump(mode="json"),
            "labels": self.labels,
            "stage": self.stage,
            "progress": self.progress,
            "facts": self.facts,
        }
        metadata = {"format": FORMAT, "instrument": json.dumps(document, sort_keys=True)}
        save_tensors(Path(path), weights, metadata)

    @property
    def pitches(self) -> list[int]:
        """MIDI pitches that can be asked for."""
        return self.labels["pitch"]

    def latents(self, n: int, seed: int | None = None) -> np.ndarray:
        """Latent vectors drawn from N(0, 1), float32 [shape=(n, latent_size)]."""
        rng = np.random.default_rng(seed)
        return rng.standard_normal((n, self.gan.latent_size), np.float32)

    def notes(
        self,
        pitches: Sequence[int],
        z: np.ndarray | None = None,
        seed: int | None = None,
        **labels: Any,
    ) -> np.ndarray:
        """Generate notes.

        Parameters
        ----------
        pitches : sequence of int
            MIDI pitch of each note.
        z : ndarray [shape=(n, latent_size)], optional
            Timbre of each note; drawn by ``seed`` where not given.
        seed : int, optional
        labels
            A value, or one for each note, of every other label (``effect="reverb"``); a label
            that is not named has its first value.

        Returns
        -------
        ndarray, float32 [shape=(n, 64000)]
            Notes of 4 s at 16 kHz.

        Raises
        ------
        ReverbSynthError
            For a pitch or value outside the vocabulary, or a label the instrument has not.
        """
        return self._run(self._player, pitches, z, seed, labels)

    def images(
        self,
        pitches: Sequence[int],
        z: np.ndarray | None = None,
        seed: int | None = None,
        **labels: Any,
    ) -> np.ndarray:
        """As `notes`, but de-normalized images [shape=(n, 128, 1024, 2)]."""
        return self._run(self._painter, pitches, z, seed, labels)

    def condition(self, pitches: Sequence[int], **labels: Any) -> np.ndarray:
        """One-hot blocks of all labels, float32 [shape=(n, width)]."""
        unknown = set(labels) - set(self.labels)
        if unknown:
            raise ReverbSynthError(
                f"label {sorted(unknown)[0]!r}: this instrument has {', '.join(self.labels)}"
            )
        asked = {"pitch": list(pitches), **labels}
        blocks = []
        for name, values in self.labels.items():
            chosen = asked.get(name, values[0])
            if isinstance(chosen, str) or not isinstance(chosen, Sequence | np.ndarray):
                chosen = [chosen] * len(asked["pitch"])
            block = np.zeros((len(asked["pitch"]), len(values)), np.float32)
            for row, value in enumerate(chosen):
                if value not in values:
                    known = f"{values[0]} to {values[-1]}" if name == "pitch" else ", ".join(values)
                    raise ReverbSynthError(f"{name}: found {value}, expected one of {known}")
                block[row, values.index(value)] = 1
            blocks.append(block)
        return np.concatenate(blocks, axis=1)

    def _run(self, model, pitches, z, seed, labels) -> np.ndarray:
        condition = self.condition(pitches, **labels)
        n = len(condition)
        z = self.latents(n, seed) if z is None else np.asarray(z, np.float32)
        if z.shape != (n, self.gan.latent_size):
            raise ReverbSynthError(
                f"z: found shape {z.shape}, expected ({n}, {self.gan.latent_size})"
            )
        # Whole batches only, so that nothing is compiled twice.
        padding = ((0, -n % BATCH), (0, 0))
        inputs = [np.pad(z, padding, mode="wrap"), np.pad(condition, padding, mode="wrap")]
        return model.predict(inputs, batch_size=BATCH, verbose=0)[:n]


class _Painter(keras.Model):
    """(z, condition) to full-size de-normalized images."""

    def __init__(self, generator: Generator, representation: Representation, progress, factor):
        super().__init__(name="painter")
        self._generator, self._representation = generator, representation
        self._progress, self._factor = progress, factor
        self.built = True
        self.compile(jit_compile=keras.backend.backend() == "jax")

    def call(self, inputs):
        z, condition = inputs
        progress = ops.convert_to_tensor(self._progress, "float32")
        images = self._representation.denormalize(self._generator(z, condition, progress))
        return upscale(images, self._factor)


class _Player(keras.Model):
    """(z, condition) to waves."""

    def __init__(self, painter: _Painter, representation: Representation):
        super().__init__(name="player")
        self._painter, self._representation = painter, representation
        self.built = True
        self.compile(jit_compile=keras.backend.backend() == "jax")

    def call(self, inputs):
        return self._representation.decode(self._painter(inputs))


def _checked(document: dict, gan: GanSettings) -> tuple[dict[str, list], int, float]:
    labels, stage, progress = document["labels"], document["stage"], document["progress"]
    if list(labels) != list(gan.labels) or not all(
        isinstance(values, list) and values and len(set(values)) == len(values)
        for values in labels.values()
    ):
        raise ValueError("its labels do not fit its settings")
    if not all(isinstance(pitch, int) and 0 <= pitch <= 127 for pitch in labels["pitch"]):
        raise ValueError("its pitches are not MIDI pitches")
    if not isinstance(stage, int) or not 0 <= stage <= stages.LAST_STAGE:
        raise ValueError(f"stage {stage!r}, expected 0 to {stages.LAST_STAGE}")
    if not isinstance(progress, float) or not 0 <= progress < stages.N_BLOCKS:
        raise ValueError(f"progress {progress!r}")
    return labels, stage, progress
