"""A trained generator as a thing to play, and the one file it is kept in.

The file is safetensors: weights, and in its metadata a JSON document with everything else. It
holds no code and opening it runs none; no training set is needed.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
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
from reverbsynth.gan.synthesis import Synthesizer
from reverbsynth.latents import LatentWalk, slerp
from reverbsynth.runs import Run, load_tensors, save_tensors
from reverbsynth.settings import NOTE_LENGTH, GanSettings, SpectraSettings
from reverbsynth.spectra import IMAGE_SHAPE, Representation

FORMAT = "reverbsynth-instrument"
VERSION = 2


class Instrument:
    """A generator with all that is needed to play it.

    Use `from_run`, `from_original` or `load`.

    Attributes
    ----------
    labels : dict
        The values each label takes, in the order of their classes.
    stage : int
    weights : dict
        The generator's variables by name, float32.
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
        _check_weights(weights, Generator(gan, width, stage))
        self.weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}
        self._synthesizer = Synthesizer(gan, stage, progress, self.weights)
        self._decode = _compiled(self._wave)
        self._decoding = threading.Lock()

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
            text = metadata["instrument"]
            document = json.loads(text)
            _check_version(document["version"], path)
            if metadata["sha256"] != _digest(text, weights):
                raise ReverbSynthError(
                    f"{path}: changed since it was written (its SHA-256 differs)"
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

    @classmethod
    def open(cls, path: Path | str, stage: int | None = None) -> "Instrument":
        """An instrument's file, or the instrument of a run directory."""
        path = Path(path)
        if path.is_dir():
            return cls.from_run(path, stage)
        instrument = cls.load(path)
        if stage not in (None, instrument.stage):
            raise ReverbSynthError(
                f"{path}: instrument of stage {instrument.stage}, expected {stage}"
            )
        return instrument

    def save(self, path: Path | str, half: bool = False) -> None:
        """Write the instrument to one file; ``half`` keeps the weights in float16."""
        kind = np.float16 if half else np.float32
        weights = {name: value.astype(kind) for name, value in self.weights.items()}
        if half and not all(np.isfinite(value).all() for value in weights.values()):
            raise ReverbSynthError(f"{path}: weights beyond 65504 do not fit float16")
        document = {
            "version": VERSION,
            "gan": self.gan.model_dump(mode="json"),
            "spectra": self.spectra.model_dump(mode="json"),
            "labels": self.labels,
            "stage": self.stage,
            "progress": self.progress,
            "facts": self.facts,
        }
        text = json.dumps(document, sort_keys=True)
        metadata = {"format": FORMAT, "instrument": text, "sha256": _digest(text, weights)}
        save_tensors(Path(path), weights, metadata)

    def halved(self) -> "Instrument":
        """This instrument with weights rounded to float16, as a file with ``half`` holds them."""
        weights = {name: value.astype(np.float16) for name, value in self.weights.items()}
        return type(self)(
            self.gan, self.spectra, self.labels, self.stage, self.progress, weights, self.facts
        )

    @property
    def pitches(self) -> list[int]:
        """MIDI pitches that can be asked for."""
        return self.labels["pitch"]

    def latents(self, n: int, seed: int | None = None) -> np.ndarray:
        """Latent vectors drawn from N(0, 1), float32 [shape=(n, latent_size)]."""
        rng = np.random.default_rng(seed)
        return rng.standard_normal((n, self.gan.latent_size), np.float32)

    def between(self, first_seed: int, last_seed: int, n: int) -> np.ndarray:
        """Timbres on the way from one seed's to another's, ends included.

        Returns
        -------
        ndarray, float32 [shape=(n, latent_size)]
        """
        ends = self.latents(1, first_seed)[0], self.latents(1, last_seed)[0]
        return slerp(*ends, np.linspace(0, 1, n))

    def walk(self, seconds: float, every: float = 2.0, seed: int | None = None) -> LatentWalk:
        """A walk through latent space: a new timbre every few seconds, moving between them."""
        return LatentWalk.draw(self.gan.latent_size, seconds, every, seed)

    def notes(
        self,
        pitches: Sequence[int],
        z: np.ndarray | None = None,
        seed: int | None = None,
        velocities: Sequence[int] | int | None = None,
        **labels: Any,
    ) -> np.ndarray:
        """Generate notes.

        Parameters
        ----------
        pitches : sequence of int
            MIDI pitch of each note.
        z : ndarray [shape=(n, latent_size) or (latent_size,)], optional
            Timbre of each note, or of all; drawn by ``seed`` where not given.
        seed : int, optional
        velocities : int or sequence of int, optional
            As in GANSynth, a note's peak is then velocity / 127; unset: as generated.
        labels
            A value, or one for each note, of every other label (``effect="reverb"``); a label
            that is not named has its first value.

        Returns
        -------
        ndarray, float32 [shape=(n, 64000)]
            Notes of 4 s at 16 kHz. Each depends on its own pitch, z and labels alone.

        Raises
        ------
        ReverbSynthError
            For a pitch or value outside the vocabulary, or a label the instrument has not.
        """
        gains = None if velocities is None else _gains(velocities, len(pitches))
        waves = np.empty((len(pitches), NOTE_LENGTH), np.float32)
        for i, wave in enumerate(self.stream(pitches, z, seed, **labels)):
            waves[i] = wave if gains is None else at_peak(wave, gains[i])
        return waves

    def stream(
        self,
        pitches: Sequence[int],
        z: np.ndarray | None = None,
        seed: int | None = None,
        **labels: Any,
    ) -> Iterator[np.ndarray]:
        """As `notes`, one wave [shape=(64000,)] after the other: memory does not grow with them."""
        return self._each(self._decoded, pitches, z, seed, labels)

    def images(
        self,
        pitches: Sequence[int],
        z: np.ndarray | None = None,
        seed: int | None = None,
        **labels: Any,
    ) -> np.ndarray:
        """As `notes`, but de-normalized images [shape=(n, 128, 1024, 2)]."""
        factor = stages.box_factor(stages.blocks(self.stage))
        images = np.empty((len(pitches), *IMAGE_SHAPE), np.float32)
        for i, image in enumerate(self._each(np.copy, pitches, z, seed, labels)):
            plain = self.representation.denormalize(image)
            images[i] = plain.repeat(factor, axis=0).repeat(factor, axis=1)
        return images

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
            if len(chosen) != len(asked["pitch"]):
                raise ReverbSynthError(
                    f"{name}: found {len(chosen)} values, expected {len(asked['pitch'])}"
                )
            block = np.zeros((len(asked["pitch"]), len(values)), np.float32)
            for row, value in enumerate(chosen):
                if value not in values:
                    known = f"{values[0]} to {values[-1]}" if name == "pitch" else ", ".join(values)
                    raise ReverbSynthError(f"{name}: found {value}, expected one of {known}")
                block[row, values.index(value)] = 1
            blocks.append(block)
        return np.concatenate(blocks, axis=1)

    def _each(self, then: Callable, pitches, z, seed, labels) -> Iterator[np.ndarray]:
        condition = self.condition(pitches, **labels)
        n, size = len(condition), self.gan.latent_size
        z = self.latents(n, seed) if z is None else np.asarray(z, np.float32)
        if z.shape == (size,):
            z = np.broadcast_to(z, (n, size))
        if z.shape != (n, size):
            raise ReverbSynthError(f"z: found shape {z.shape}, expected ({n}, {size})")
        return self._synthesizer.many(z, condition, then)

    def _decoded(self, image: np.ndarray) -> np.ndarray:
        with self._decoding:
            return ops.convert_to_numpy(self._decode(image[np.newaxis]))[0]

    def _wave(self, images):
        """Normalized images at the stage's own resolution as waves."""
        images = self.representation.denormalize(ops.convert_to_tensor(images, "float32"))
        factor = stages.box_factor(stages.blocks(self.stage))
        return self.representation.decode(upscale(images, factor))


def at_peak(wave: np.ndarray, peak: float) -> np.ndarray:
    """A wave scaled to a peak; a silent one stays silent."""
    loudest = np.abs(wave).max(initial=0)
    return wave if loudest == 0 else wave * np.float32(peak / loudest)


def _compiled(function: Callable) -> Callable:
    """The function as one compiled program, on either backend."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)


def _gains(velocities: Sequence[int] | int, n: int) -> np.ndarray:
    values = np.broadcast_to(np.asarray(velocities), (n,)) if np.ndim(velocities) == 0 else None
    values = np.asarray(velocities) if values is None else values
    if values.shape != (n,):
        raise ReverbSynthError(f"velocities: found {len(values)}, expected {n}")
    for value in values:
        if not 0 <= value <= 127:
            raise ReverbSynthError(f"velocity: found {value}, expected 0 to 127")
    return values / 127


def _digest(text: str, weights: dict[str, np.ndarray]) -> str:
    """SHA-256 over the document and every tensor, its name, kind and shape included."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(weights):
        value = weights[name]
        digest.update(f"\n{name} {value.dtype.str} {value.shape}\n".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _check_version(version: Any, path: Path) -> None:
    if version == VERSION:
        return
    remedy = (
        "save it again from its run, or with the package that wrote it"
        if isinstance(version, int) and version < VERSION
        else "update the package"
    )
    raise ReverbSynthError(
        f"{path}: instrument of version {version}, this package reads version {VERSION}; {remedy}"
    )


def _check_weights(weights: dict[str, np.ndarray], generator: Generator) -> None:
    variables = generator.named_variables()
    if variables.keys() != weights.keys():
        odd = sorted(variables.keys() ^ weights.keys())[0]
        raise ReverbSynthError(f"instrument: weight {odd} is missing or out of place")
    for name, variable in variables.items():
        value = weights[name]
        if value.shape != tuple(variable.shape):
            raise ReverbSynthError(
                f"instrument: weight {name} has shape {value.shape}, "
                f"expected {tuple(variable.shape)}"
            )
        if not np.isfinite(value).all():
            raise ReverbSynthError(f"instrument: weight {name} holds values that are not finite")


def _checked(document: dict, gan: GanSettings) -> tuple[dict[str, list], int, float]:
    labels, stage, progress = document["labels"], document["stage"], document["progress"]
    # JSON keeps a mapping's order, and the labels' blocks are in the settings' order.
    if set(labels) != set(gan.labels) or not all(
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
    return {name: labels[name] for name in gan.labels}, stage, progress
