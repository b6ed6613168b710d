"""Recorded notes with another effect: an instrument's own version of a note, played anew.

The latent vector and labels that make the generator play the note are found by gradient descent
through the network, from several starts at once. Zhu et al., "Generative Visual Manipulation on the
Natural Image Manifold" (2016), section 3.1; the latent vector is held to lengths that N(0, 1) has,
much as Menon et al., "PULSE" (2020), hold it on a sphere.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.pitch import estimated_pitch
from reverbsynth.audio.spectrum import log_spectral_distance, mel_levels
from reverbsynth.audio.tails import measure_tails
from reverbsynth.errors import DataError, SettingsError
from reverbsynth.gan import schedule
from reverbsynth.gan.backend import input_gradient
from reverbsynth.gan.layers import downscale
from reverbsynth.gan.networks import Generator
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.instrument.label_mixture import one_hot
from reverbsynth.instrument.latents import check_seed
from reverbsynth.spectra.compiling import compile_function
from reverbsynth.spectra.representation import Representation

if TYPE_CHECKING:
    from reverbsynth.instrument.instrument import Instrument

RATE = 0.2
"""Adam's rate, which falls to nothing along half a cosine."""

CANDIDATES = 16
"""Random latent vectors that are tried for each start; the best are the starts."""

SPREAD = math.sqrt(2)
"""Two standard deviations of the length of a Gaussian vector, which is about sqrt(size)."""

COMPARED = 16
"""Notes of an instrument that a recording's level is compared with."""

ONSET = 0.03
"""Share of its peak (-30 dB) at which a recording's note begins."""

_DECIBELS = 10 / math.log(10)
"""Of a unit of the image's magnitude, the logarithm of a power."""


@dataclass(frozen=True)
class Fit:
    """What a search found.

    Attributes
    ----------
    z : ndarray, float32 [shape=(latent_size,)]
    labels : dict
        A value, or a mixture as a mapping, of each label but pitch.
    error : float
        Root mean square difference of the log-magnitude images, in dB.
    errors : ndarray [shape=(starts,)]
        Of every start, in order of its place.
    """

    z: np.ndarray
    labels: dict[str, Any]
    error: float
    errors: np.ndarray


@dataclass(frozen=True)
class Applied:
    """A note with another effect than it was recorded with.

    Attributes
    ----------
    audio : ndarray, float32 [shape=(onset + 64000,)]
        The note with the effect that was asked for, as the network plays it, at the recording's
        level and place.
    reconstruction : ndarray [shape=(onset + 64000,)]
        The note as the network plays it with the labels that were found.
    recording : ndarray [shape=(onset + 64000,)]
    pitch : int
        Given, or estimated.
    effect : str or mapping
        The one that was asked for.
    fit : Fit
    gain : float
        What brought the recording to the level of the instrument's notes.
    onset : int
        Sample at which the note begins.
    """

    audio: np.ndarray
    reconstruction: np.ndarray
    recording: np.ndarray
    pitch: int
    effect: Any
    fit: Fit = field(repr=False)
    gain: float = 1.0
    onset: int = 0

    @cached_property
    def report(self) -> dict[str, float]:
        """How close it is: dB between spectra, and seconds of T20 (NaN for a tail without one)."""
        waves = np.stack([self.recording, self.reconstruction, self.audio])[:, self.onset :]
        levels, tails = mel_levels(waves), measure_tails(waves)
        return {
            "image error (dB)": self.fit.error,
            "log-spectral distance of the reconstruction (dB)": float(
                log_spectral_distance(levels[0], levels[1])
            ),
            "log-spectral distance of the result (dB)": float(
                log_spectral_distance(levels[0], levels[2])
            ),
            "T20 of the recording (s)": float(tails.t20[0]),
            "T20 of the reconstruction (s)": float(tails.t20[1]),
            "T20 of the result (s)": float(tails.t20[2]),
        }

    def text(self) -> str:
        """The report for people, a line for each fact."""
        lines = [
            f"pitch: {self.pitch}",
            f"onset: {self.onset / SAMPLE_RATE:.3f} s, kept in the result",
            f"level: {-20 * math.log10(self.gain):+.1f} dB to the instrument's notes, kept as well",
        ]
        lines += [f"{name}, as found: {shown(value)}" for name, value in self.fit.labels.items()]
        lines += [
            f"{name}: {'none' if math.isnan(value) else f'{value:.2f}'}"
            for name, value in self.report.items()
        ]
        return "\n".join(lines)


def apply_effect(
    instrument: "Instrument",
    /,
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

    The search compares magnitudes of images (`Inversion.fit`); what it finds is then played with
    the effect. How loud the note was recorded, and after how much silence, is no part of it: both
    are taken away before the search and given back to what is returned.

    Parameters
    ----------
    instrument : Instrument
    audio : ndarray [shape=(samples,)]
        At 16 kHz. Cut 4 s after its onset, or followed by silence.
    effect : str or mapping
        A value of the label ``effect``, or a mixture.
    pitch : int, optional
        MIDI pitch; estimated by default.
    seed : int
        Of the starts: the same seed finds the same note.
    starts, steps : int
        Searches side by side, and gradient steps of each.
    progress : callable, optional
        Called with the number of steps done and of all.
    own_effect : str or mapping, optional
        The effect that the note was recorded with; by default it is searched for, as a mixture.
    gain : float, optional
        Brings the recording to the level of the instrument's notes; by default, to the median over
        a few of them.
    onset : int, optional
        Sample at which the note begins; found by default (`onset_of`).
    labels
        What else is known of the recording, such as ``instrument="acoustic_bass"``.

    Returns
    -------
    Applied
        The sound, the reconstruction, and a report of how close it is.

    Raises
    ------
    SettingsError
        For an instrument without effects, an unknown effect or label, or a pitch outside the
        instrument's range.
    DataError
        For a recording that is silent, not finite or not mono.
    """
    if "effect" not in instrument.labels:
        raise SettingsError(
            f"effect: this instrument has no such label, found {', '.join(instrument.labels)}"
        )
    for name, count in (("starts", starts), ("steps", steps)):
        if count < 1:
            raise SettingsError(f"{name}: found {count}, expected 1 or more")
    if gain is not None and not 0 < gain < np.inf:
        raise SettingsError(f"gain: found {gain}, expected a factor above 0")
    check_seed(seed)
    known = labels if own_effect is None else {**labels, "effect": own_effect}
    for values in (known, {**labels, "effect": effect}):
        instrument.condition(instrument.pitches[:1], **values)
    recording, onset = recorded(audio, onset)
    note = recording[onset:]
    pitch = heard_pitch(note, pitch, instrument.pitches)
    search = instrument.inversion
    if gain is None:
        gain = search.gain(note, pitch, known)
    fit = search.fit(note * gain, pitch, known, seed, starts, steps, progress)
    dry, wet = (
        np.pad(instrument.notes([pitch], z=fit.z, **values)[0] / np.float32(gain), (onset, 0))
        for values in (fit.labels, {**fit.labels, "effect": effect})
    )
    return Applied(wet, dry, recording, pitch, effect, fit, gain, onset)


class Inversion:
    """A generator to search through.

    Parameters
    ----------
    generator : TrainedGenerator
    """

    def __init__(self, generator: TrainedGenerator):
        self._size, self._labels = generator.gan.latent_size, generator.labels
        self._progress = ops.convert_to_tensor(generator.progress, "float32")
        self._representation = Representation(generator.spectra)
        self._factor = schedule.box_factor(schedule.blocks(generator.stage))
        self._network = Generator(generator.gan, generator.labels.width, generator.stage)
        for name, variable in self._network.named_variables().items():
            variable.assign(generator.weights[name])
        self._losses = compile_function(self._image_losses)
        self._descent = compile_function(
            lambda point, *given: input_gradient(
                lambda inner: ops.sum(self._image_losses(inner, *given)), point
            )
        )

    def fit(
        self,
        recording: np.ndarray,
        pitch: int,
        known: Mapping[str, Any],
        seed: int,
        starts: int,
        steps: int,
        progress: Callable[[int, int], None] | None = None,
    ) -> Fit:
        """Search for a note.

        Parameters
        ----------
        recording : ndarray [shape=(64000,)]
        pitch : int
        known : dict
            Values or mixtures of labels that are not to be searched for.
        seed : int
            Of the starts.
        starts, steps : int
            Searches side by side, and gradient steps of each.
        progress : callable, optional
            Called with the number of steps done and of all.
        """
        given = self._target(recording), *self._fixed(pitch, known)
        rng = np.random.default_rng(seed)
        width = given[1].shape[1]
        drawn = rng.standard_normal((starts * CANDIDATES, self._size + width), np.float32)
        first = [
            ops.convert_to_numpy(self._losses(drawn[i : i + starts], *given))
            for i in range(0, len(drawn), starts)
        ]
        best = np.sort(np.argsort(np.concatenate(first), kind="stable")[:starts])
        point = keras.Variable(drawn[best], dtype="float32")
        adam = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(RATE, steps), beta_2=0.99
        )
        for step in range(steps):
            adam.apply([self._descent(point.value, *given)], [point])
            if progress:
                progress(step + 1, steps)
        errors = ops.convert_to_numpy(self._losses(point.value, *given))
        errors = _DECIBELS * np.sqrt(errors)
        winner = int(np.argmin(errors))
        chosen = self._placed(point.value[winner : winner + 1], *given[1:])
        z, condition = (ops.convert_to_numpy(part)[0] for part in chosen)
        return Fit(z, self._named(condition, known), float(errors[winner]), errors)

    def gain(self, recording: np.ndarray, pitch: int, known: Mapping[str, Any]) -> float:
        """The factor that gives a recording the level of the generator's notes.

        Levels are those of the images that are compared, not of the waves: a generated note's
        phases do not add up to as high a peak as a recorded one's.

        Parameters
        ----------
        recording : ndarray [shape=(64000,)]
        pitch, known
            As in `fit`. Of a label that is not known, a value is drawn for each note.
        """
        fixed, free = self._fixed(pitch, known)
        rng = np.random.default_rng(0)
        drawn = rng.standard_normal((COMPARED, self._size + fixed.shape[1]), np.float32)
        # So far apart that a mixture is one value.
        drawn[:, self._size :] *= 1_000
        usual = np.median([self._level(self._drawn(one[None], fixed, free)) for one in drawn])
        peak = float(np.abs(recording).max())
        loud, half = (self._level(self._target(recording / (peak * by))) for by in (1, 2))
        slope = (loud - half) / math.log(2)
        return math.exp((usual - loud) / slope) / peak

    @staticmethod
    def _level(magnitudes) -> float:
        """Logarithm of the sum of what log-magnitudes are the logarithm of."""
        return float(ops.logsumexp(magnitudes))

    def _target(self, recording: np.ndarray):
        """The note's log-magnitudes at the stage's resolution [shape=(1, frames, bins)]."""
        image = self._representation.encode(ops.convert_to_tensor(recording[np.newaxis], "float32"))
        return downscale(image, self._factor)[..., 0]

    def _fixed(self, pitch: int, known: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """The labels that are given, and where the others are [shape=(1, width)]."""
        blocks, free = [], []
        for name, values in self._labels.items():
            given = {"pitch": pitch, **known}
            searched = name not in given
            blocks.append(
                np.zeros((1, len(values)), np.float32)
                if searched
                else one_hot(self._labels, name, given[name], 1)
            )
            free.append(np.full((1, len(values)), searched, np.float32))
        return np.concatenate(blocks, axis=1), np.concatenate(free, axis=1)

    def _placed(self, point, fixed, free):
        """Free parameters as latent vectors of a common length, and labels that are mixtures."""
        z, logits = point[:, : self._size], point[:, self._size :]
        length = ops.sqrt(ops.sum(z**2, axis=1, keepdims=True))
        usual = math.sqrt(self._size)
        z = z * ops.clip(length, max(usual - SPREAD, 0.0), usual + SPREAD) / length
        blocks, start = [], 0
        for size in self._labels.sizes.values():
            stop = start + size
            blocks.append(ops.softmax(logits[:, start:stop], axis=1))
            start = stop
        return z, fixed + free * ops.concatenate(blocks, axis=1)

    def _image_losses(self, point, target, fixed, free):
        """Mean square difference of log-magnitudes [shape=(starts,)]."""
        return ops.mean((self._drawn(point, fixed, free) - target) ** 2, axis=(1, 2))

    def _drawn(self, point, fixed, free):
        """Log-magnitudes of the images that the network draws [shape=(starts, frames, bins)]."""
        image = self._network(*self._placed(point, fixed, free), self._progress)
        return self._representation.denormalize(image)[..., 0]

    def _named(self, condition: np.ndarray, known: Mapping[str, Any]) -> dict[str, Any]:
        found, start = {}, 0
        for name, values in self._labels.items():
            weights = condition[start : start + len(values)].astype(float)
            start += len(values)
            if name in known:
                found[name] = known[name]
            elif name != "pitch":
                shares = weights / weights.sum()
                found[name] = dict(zip(values, shares.tolist(), strict=True))
        return found


def heard_pitch(recording: np.ndarray, pitch: int | None, pitches: Sequence[int]) -> int:
    """The pitch to play: the one given, or the estimated one.

    Raises
    ------
    SettingsError
        For a pitch outside the instrument's range, or none that could be estimated.
    """
    found = estimated_pitch(recording)[0] if pitch is None else pitch
    if found not in pitches:
        how = "estimated" if pitch is None else "found"
        hint = "; name it with pitch" if pitch is None else ""
        raise SettingsError(
            f"pitch: {how} {'none' if found is None else found}, "
            f"expected {pitches[0]} to {pitches[-1]}{hint}"
        )
    return found


def recorded(audio: np.ndarray, onset: int | None = None) -> tuple[np.ndarray, int]:
    """A recording until 4 s after its onset: cut, or followed by silence.

    Parameters
    ----------
    audio : ndarray [shape=(samples,)]
    onset : int, optional
        Found where it is not given.

    Returns
    -------
    recording : ndarray, float32 [shape=(onset + 64000,)]
    onset : int

    Raises
    ------
    DataError
        For one that is silent, not finite, or not mono.
    """
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 1:
        raise DataError(f"audio: found shape {audio.shape}, expected (samples,)")
    if not np.isfinite(audio).all():
        raise DataError("audio: holds NaN or infinity")
    if not np.abs(audio[onset:]).max(initial=0) > 0:
        raise DataError("audio: is silent, expected a note")
    onset = onset_of(audio) if onset is None else onset
    audio = audio[: onset + NOTE_LENGTH]
    return np.pad(audio, (0, onset + NOTE_LENGTH - len(audio))), onset


def onset_of(audio: np.ndarray) -> int:
    """The first sample that comes within 30 dB of the loudest [audio: shape=(samples,)]."""
    loudness = np.abs(audio)
    return int(np.argmax(loudness >= ONSET * loudness.max()))


def shown(value: Any) -> str:
    """A value or mixture for people: ``70 % reverb, 30 % dry``."""
    if not isinstance(value, Mapping):
        return str(value)
    parts = sorted(value.items(), key=lambda item: -item[1])
    return ", ".join(f"{100 * weight:.0f} % {name}" for name, weight in parts if weight >= 0.005)
