"""A trained generator as a thing to play. No training set is needed."""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan import schedule
from reverbsynth.gan.layers import upscale
from reverbsynth.gan.magenta import read_original
from reverbsynth.gan.networks import Generator
from reverbsynth.gan.synthesis import Synthesizer
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.instrument import file
from reverbsynth.instrument.inversion import Applied, Inversion, heard_pitch, recorded
from reverbsynth.instrument.label_mixture import one_hot
from reverbsynth.instrument.latents import LatentWalk, check_seed, slerp
from reverbsynth.settings import GanSettings, SpectraSettings
from reverbsynth.spectra.compiling import compiled
from reverbsynth.spectra.format import IMAGE_SHAPE
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run


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
        # Their blocks lie in the settings' order, whatever the order they were kept in.
        self.labels = {name: labels[name] for name in gan.labels}
        self.stage, self.progress, self.facts = stage, progress, facts
        self.representation = Representation(spectra)
        width = sum(len(values) for values in labels.values())
        file.check_weights(weights, Generator(gan, width, stage))
        self.weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}
        self._synthesizer = Synthesizer(gan, stage, progress, self.weights)
        self._decode = compiled(self._wave)
        self._decoding = threading.Lock()

    @classmethod
    def from_run(cls, run: Run | Path | str, stage: int | None = None) -> "Instrument":
        """The averaged generator of a run, after a stage (the last finished one by default)."""
        if not isinstance(run, Run):
            run = Run.open(run)
        return cls._of(run.trained_generator(stage))

    @classmethod
    def _of(cls, generator: TrainedGenerator) -> "Instrument":
        return cls(
            generator.gan,
            generator.spectra,
            {name: list(values) for name, values in generator.labels.items()},
            generator.stage,
            generator.progress,
            generator.weights,
            generator.facts,
        )

    @classmethod
    def from_original(cls, directory: Path | str, lowest_pitch: int | None = None) -> "Instrument":
        """The averaged generator of an original GANSynth training directory.

        See `reverbsynth.gan.magenta.read_original`.
        """
        return cls._of(read_original(directory, lowest_pitch))

    @classmethod
    def load(cls, path: Path | str) -> "Instrument":
        """Load an instrument.

        Raises
        ------
        ReverbSynthError
            For a file that is foreign, truncated, tampered with, or of another version.
        """
        kept = file.read(path)
        try:
            return cls(
                kept.gan,
                kept.spectra,
                kept.labels,
                kept.stage,
                kept.progress,
                kept.weights,
                kept.facts,
            )
        except ReverbSynthError as error:
            raise ReverbSynthError(f"{path}: {str(error).removeprefix('instrument: ')}") from None

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

    def save(self, path: Path | str, float16: bool = False) -> None:
        """Write the instrument to one file; ``float16`` rounds the weights."""
        kept = file.InstrumentState(
            self.gan,
            self.spectra,
            self.labels,
            self.stage,
            self.progress,
            self.weights,
            self.facts,
        )
        file.write(path, kept, float16)

    def in_float16(self) -> "Instrument":
        """This instrument with weights rounded to float16, as its file may hold them."""
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
        check_seed(seed)
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
            A value, or one for each note, of every other label (``effect="reverb"``), or a mixture
            of values with weights that sum to 1 (``effect={"dry": 0.3, "reverb": 0.7}``), or a
            list of either; a label that is not named has its first value.

        Returns
        -------
        ndarray, float32 [shape=(n, 64000)]
            Notes of 4 s at 16 kHz. Each depends on its own pitch, z and labels alone.

        Raises
        ------
        ReverbSynthError
            For a pitch or value outside the vocabulary, a label the instrument has not, weights
            that are negative or do not sum to 1, or a seed below 0.
        """
        pitches = _listed(pitches)
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
        pitches = _listed(pitches)
        factor = schedule.box_factor(schedule.blocks(self.stage))
        images = np.empty((len(pitches), *IMAGE_SHAPE), np.float32)
        for i, image in enumerate(self._each(np.copy, pitches, z, seed, labels)):
            plain = self.representation.denormalize(image)
            images[i] = plain.repeat(factor, axis=0).repeat(factor, axis=1)
        return images

    def image_and_wave(
        self, pitch: int, z: np.ndarray, **labels: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """One note both ways, generated once.

        Returns
        -------
        image : ndarray [shape=(h, w, 2)]
            De-normalized, at the stage's own resolution.
        wave : ndarray [shape=(64000,)]
        """
        (image,) = self._each(np.copy, [pitch], z, None, labels)
        return self.representation.denormalize(image), self._decoded(image)

    def condition(self, pitches: Sequence[int], **labels: Any) -> np.ndarray:
        """One-hot blocks of all labels, or mixtures of them, float32 [shape=(n, width)].

        Parameters and errors are those of `notes`.
        """
        unknown = set(labels) - set(self.labels)
        if unknown:
            raise ReverbSynthError(
                f"label {sorted(unknown)[0]!r}: this instrument has {', '.join(self.labels)}"
            )
        asked = {"pitch": _listed(pitches), **labels}
        count = len(asked["pitch"])
        blocks = [
            one_hot(name, values, asked.get(name, values[0]), count)
            for name, values in self.labels.items()
        ]
        return np.concatenate(blocks, axis=1)

    def apply_effect(
        self,
        audio: np.ndarray,
        effect: Any,
        pitch: int | None = None,
        seed: int = 0,
        starts: int = 6,
        steps: int = 200,
        progress: Callable[[int, int], None] | None = None,
        own_effect: Any = None,
        gain: float | None = None,
        onset: int | None = None,
        **labels: Any,
    ) -> Applied:
        """Play a recorded note with another effect.

        A latent vector and labels are searched for that reproduce the note, on the magnitudes of
        its image (`reverbsynth.instrument.inversion`); then the same vector is played with the
        effect. How loud it was recorded, and after how much silence, are no part of the note: both
        are taken away before the search and given back to what is returned.

        Parameters
        ----------
        audio : ndarray [shape=(samples,)]
            At 16 kHz. Cut 4 s after its onset, or followed by silence.
        effect : str or mapping
            A value of the label ``effect``, or a mixture.
        pitch : int, optional
            Estimated where it is not given.
        seed : int
            Of the starts: the same seed finds the same note.
        starts, steps : int
            Searches side by side, and gradient steps of each.
        progress : callable, optional
            Called with the number of steps done and of all.
        own_effect : str or mapping, optional
            The one it was recorded with; searched for, as a mixture, where it is not given.
        gain : float, optional
            Brings the recording to the level of the instrument's notes; where it is not given, to
            the median over a few of them.
        onset : int, optional
            Sample at which the note begins; found where it is not given
            (`reverbsynth.instrument.inversion.onset_of`).
        labels
            What else is known of the recording, such as ``instrument="acoustic_bass"``.

        Returns
        -------
        Applied
            The sound, the reconstruction, and a report of how close it is.

        Raises
        ------
        ReverbSynthError
            For an instrument without effects, an unknown effect or label, silence, or a pitch that
            the instrument has not.
        """
        if "effect" not in self.labels:
            raise ReverbSynthError(
                f"effect: this instrument has no such label, found {', '.join(self.labels)}"
            )
        for name, count in (("starts", starts), ("steps", steps)):
            if count < 1:
                raise ReverbSynthError(f"{name}: found {count}, expected 1 or more")
        if gain is not None and not 0 < gain < np.inf:
            raise ReverbSynthError(f"gain: found {gain}, expected a factor above 0")
        check_seed(seed)
        known = labels if own_effect is None else {**labels, "effect": own_effect}
        for asked in (known, {**labels, "effect": effect}):
            self.condition(self.pitches[:1], **asked)
        recording, onset = recorded(audio, onset)
        note = recording[onset:]
        pitch = heard_pitch(note, pitch, self.pitches)
        if gain is None:
            gain = self._inversion.gain(note, pitch, known)
        fit = self._inversion.fit(note * gain, pitch, known, seed, starts, steps, progress)
        (again,) = self.notes([pitch], z=fit.z, **fit.labels)
        (wet,) = self.notes([pitch], z=fit.z, **{**fit.labels, "effect": effect})
        wet, again = (np.pad(wave / np.float32(gain), (onset, 0)) for wave in (wet, again))
        return Applied(wet, again, recording, pitch, effect, fit, gain, onset)

    @cached_property
    def _inversion(self) -> Inversion:
        return Inversion(
            self.gan, self.representation, self.labels, self.stage, self.progress, self.weights
        )

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
        factor = schedule.box_factor(schedule.blocks(self.stage))
        return self.representation.decode(upscale(images, factor))


def at_peak(wave: np.ndarray, peak: float) -> np.ndarray:
    """A wave scaled to a peak; a silent one stays silent."""
    loudest = np.abs(wave).max(initial=0)
    return wave if loudest == 0 else wave * np.float32(peak / loudest)


def _listed(pitches: Sequence[int]) -> list[int]:
    try:
        return list(pitches)
    except TypeError:
        raise ReverbSynthError(f"pitches: found {pitches!r}, expected a list of them") from None


def _gains(velocities: Sequence[int] | int, n: int) -> np.ndarray:
    values = np.broadcast_to(np.asarray(velocities), (n,)) if np.ndim(velocities) == 0 else None
    values = np.asarray(velocities) if values is None else values
    if values.shape != (n,):
        raise ReverbSynthError(f"velocities: found {len(values)}, expected {n}")
    for value in values:
        if not 0 <= value <= 127:
            raise ReverbSynthError(f"velocity: found {value}, expected 0 to 127")
    return values / 127
