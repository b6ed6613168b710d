"""A recorded note with another effect: what the effect changes in the instrument's version of it.

`reverbsynth.instrument.inversion` finds the latent vectors and labels that play the note. They are
played without and with the effect, and the recording is given the change between the two.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.pitch import estimated_pitch, parse_pitch
from reverbsynth.audio.spectrum import log_spectral_distance, mel_levels
from reverbsynth.audio.tails import measure_tails
from reverbsynth.errors import DataError, SettingsError
from reverbsynth.instrument.effect_change import EffectChange
from reverbsynth.instrument.inversion import Fit
from reverbsynth.instrument.label_mixture import shown
from reverbsynth.instrument.latents import check_seed
from reverbsynth.seeds import evenly_spaced

if TYPE_CHECKING:
    from reverbsynth.instrument.instrument import Instrument

KEYS = 8  # At which a timbre is played to learn what an effect changes in it.
_FADE = 800  # Samples in which a recording that is cut off dies away.


@dataclass(frozen=True)
class Applied:
    """A recorded note with another effect.

    The sounds, all [shape=(onset + 64000,)], are the note with the effect; as the network plays it
    with the labels that the search found, at the recording's level and position; and as recorded.
    """

    audio: np.ndarray
    reconstruction: np.ndarray
    recording: np.ndarray
    pitch: float
    effect: Any
    fit: Fit = field(repr=False)
    change: EffectChange = field(repr=False)
    gain: float = 1.0
    onset: int = 0

    @cached_property
    def report(self) -> dict[str, float]:
        """How close it is: dB between spectra, and seconds of T20 (NaN for a tail without one)."""
        waves = np.stack([self.recording, self.reconstruction, self.audio])[:, self.onset :]
        levels, t20 = mel_levels(waves), measure_tails(waves).t20
        names = ("recording", "reconstruction", "result")
        report = {"image error (dB)": self.fit.error}
        for name, other in zip(names[1:], levels[1:], strict=True):
            distance = log_spectral_distance(levels[0], other)
            report[f"log-spectral distance of the {name} (dB)"] = float(distance)
        return report | {f"T20 of the {name} (s)": float(t20[i]) for i, name in enumerate(names)}

    def text(self) -> str:
        """The report, a line for each fact."""
        lines = [
            f"pitch: {self.pitch:g}",
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
    pitch: float | str | None = None,
    seed: int = 0,
    starts: int = 4,
    steps: int = 60,
    progress: Callable[[int, int], None] | None = None,
    own_effect: Any = None,
    gain: float | None = None,
    onset: int | None = None,
    **labels: Any,
) -> Applied:
    """Give a recorded note, at 16 kHz [shape=(samples,)], another effect, or a mixture of some.

    How loud it was recorded, and after how much silence, is taken away before the search
    (`Inversion.fit`) and given back to what is returned, which ends 4 s after the onset. What is
    not given is found: the pitch is estimated, ``own_effect`` searched for as a mixture, ``onset``
    the first sample within 30 dB of the loudest, and ``gain`` the factor to the median level of a
    few of the instrument's notes. ``labels`` are what else is known of the recording, such as
    ``instrument="acoustic_bass"``. Side by side, ``starts`` searches take so many gradient steps;
    ``progress`` is called with the numbers of steps done and of all.
    """
    for name, count in (("starts", starts), ("steps", steps)):
        if count < 1:
            raise SettingsError(f"{name}: found {count}, expected 1 or more")
    if gain is not None and not 0 < gain < np.inf:
        raise SettingsError(f"gain: found {gain}, expected a factor above 0")
    check_seed(seed)
    known = labels if own_effect is None else {**labels, "effect": own_effect}
    for values in (known, {**labels, "effect": effect}):
        instrument.condition(instrument.pitches[:1], **values)
    recording, onset = prepared(audio, onset)
    note = recording[onset:]
    pitch = pitch_to_play(note, pitch, instrument)
    search = instrument.inversion
    if gain is None:
        gain = search.gain(note, pitch, known)
    fit = search.fit(note * gain, pitch, known, seed, starts, steps, progress)
    change = learned_change(instrument, fit, effect)
    labels = {**fit.labels, "effect": [fit.labels["effect"], effect]}
    reconstruction, played = instrument.notes([pitch] * 2, z=fit.z, **labels)
    audio = np.pad(change.apply(note, played), (onset, 0))
    reconstruction = np.pad(reconstruction / np.float32(gain), (onset, 0))
    return Applied(audio, reconstruction, recording, pitch, effect, fit, change, gain, onset)


def learned_change(instrument: "Instrument", fit: Fit, effect: Any) -> EffectChange:
    """What an effect changes in the timbres that a search found, and in as many others.

    One reconstruction has errors of its own in each of its versions; over several, at keys all over
    the range, they average out.
    """
    pitches = [instrument.pitches[i] for i in evenly_spaced(len(instrument.pitches), KEYS)]
    timbres = np.concatenate([fit.latents, instrument.latents(len(fit.latents), seed=0)])
    z = np.repeat(timbres, len(pitches), axis=0)
    before, after = (
        instrument.notes(pitches * len(timbres), z=z, **{**fit.labels, "effect": value})
        for value in (fit.labels["effect"], effect)
    )
    return EffectChange.between(before, after)


def pitch_to_play(
    recording: np.ndarray, pitch: float | str | None, instrument: "Instrument"
) -> float:
    """The pitch to play: the one given, or the estimated one; refused if it is not drawn."""
    given = parse_pitch(pitch) if isinstance(pitch, str) else pitch
    chosen = estimated_pitch(recording)[0] if given is None else given
    if chosen is not None and instrument.drawn_pitch(chosen) == chosen:
        return chosen
    how, hint = ("estimated", "; name it with pitch") if given is None else ("found", "")
    low, high = instrument.pitches[0], instrument.pitches[-1]
    if chosen is not None and low <= chosen <= high:
        hint = f", of which it was trained on {instrument.drawn_pitch(chosen)}{hint}"
    found = "none" if chosen is None else f"{chosen:g}"
    raise SettingsError(f"pitch: {how} {found}, expected {low} to {high}{hint}")


def prepared(audio: np.ndarray, onset: int | None = None) -> tuple[np.ndarray, int]:
    """A recording up to 4 s after its onset [shape=(onset + 64000,)], and the onset's sample."""
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 1:
        raise DataError(f"audio: found shape {audio.shape}, expected (samples,)")
    if not np.isfinite(audio).all():
        raise DataError("audio: holds NaN or infinity")
    if onset is not None and onset < 0:
        raise SettingsError(f"onset: found {onset}, expected a sample from 0")
    if not np.abs(audio[onset:]).max(initial=0) > 0:
        raise DataError("audio: is silent, expected a note")
    if onset is None:
        level = np.abs(audio - np.median(audio))  # A constant offset is no sound.
        onset = int(np.argmax(level >= 0.03 * level.max()))  # Within 30 dB.
    end = onset + NOTE_LENGTH
    if len(audio) > end:  # It sounds on.
        audio = audio[:end].copy()
        audio[-_FADE:] *= np.linspace(1, 0, _FADE, dtype=np.float32)
    return np.pad(audio, (0, end - len(audio))), onset
