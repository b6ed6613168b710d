"""The notes that a sampler plays: generated, in tune, equally loud, and looped where they can be.

A sampler that plays another sample when a key is let go (SFZ, DecentSampler) loops a note for as
long as it is held, and then plays its own tail. A note that is not looped, by default every one of
a SoundFont, sounds as generated, its tail from 3 s on; let go earlier, it dies away as fast as its
tail does.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.output import PEAK, Output, loudness
from reverbsynth.audio.pitch import cents, parse_pitch
from reverbsynth.audio.tails import measure_tails
from reverbsynth.errors import SettingsError
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.latents import slerp

_NEIGHBOUR = 0.15  # Share of the way to another latent vector at which a round robin lies.
_ENDS = range(32_000, 47_200, 1280)  # Samples at 16 kHz at which loops may end.
_LENGTHS = (1600, 8000), (800, 1600)  # Shortest and longest loops; long ones first.
_FADE = 0.02  # Seconds over which a loop's end becomes its start.
_ALIKE = 0.8  # Correlation of the sounds before both: at 0.8 the level dips by 0.5 dB.
_MOST_CENTS = 50.0  # An estimate farther off is not believed.
_MOST_GAIN = 6.0  # dB that SFZ allows a tail.
_LOUD = 0.6  # Seconds of a note whose loudness counts.
_EARLY = 6400  # Sample, at 16 kHz, from which a note loses level evenly.
_FADE_OUT = 0.3  # Seconds in which a note falls by 60 dB whose tail has no decay.
_KEYS = re.compile(r"(?:(?P<low>[^./]+)\.\.(?P<high>[^./]+))?(?:/(?P<step>[1-9]\d*))?")


@dataclass(frozen=True)
class Sample:
    """A note for a range of keys and velocities.

    ``choice`` numbers its effect in the set, ``robin`` is its turn, from 1, ``cents`` how much
    higher it sounds than its key, ``loop`` where it begins and ends, in samples, and ``decay`` the
    seconds in which its tail falls by 60 dB. The earlier a looped note is let go, the louder is its
    tail; ``gain``, in dB, is halfway: samplers know no loss that ends where a loop begins.
    """

    name: str
    wave: np.ndarray
    key: int
    low: int
    high: int
    softest: int
    loudest: int
    choice: int
    robin: int
    cents: float = 0.0
    loop: tuple[int, int] | None = None
    gain: float = 0.0
    decay: float = _FADE_OUT


@dataclass(frozen=True)
class SampleSet:
    """The samples of an instrument, and the keys that switch between its effects, if any do."""

    name: str
    samples: tuple[Sample, ...]
    choices: tuple[str, ...]
    switches: range
    robins: int
    output: Output
    suffix: str = ".flac"

    def write_sounds(self, path: Path) -> str:
        """Write the samples into a folder beside the file that names them; returns its name."""
        folder = re.sub(r"[^\w.-]", "_", path.name) + "_samples"
        for sample in self.samples:
            file = path.parent / folder / f"{sample.name}{self.suffix}"
            self.output.write_raw(file, sample.wave)
        return folder


def sample_set(
    instrument: Instrument,
    name: str,
    keys: list[int] | None = None,
    choices: Mapping[str, Mapping[str, Any]] | None = None,
    by_velocity: bool = False,
    robins: int = 1,
    seed: int = 0,
    output: Output | None = None,
    suffix: str = ".flac",
    loops: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> SampleSet:
    """Generate the notes of a sampler's instrument.

    Keys that are not among ``keys`` (all by default) play the nearest. ``choices`` are values of
    labels, by the name of the choice; by default, each effect. Key switches choose, or
    ``by_velocity`` the velocity, from the softest, the first; else the velocity chooses among those
    that were trained, where it is a label. ``robins`` notes of one key take turns, with latent
    vectors near to each other. ``progress`` is called with the numbers of notes done and of all.
    """
    output = output or Output()
    # Those that would be resampled are left to the sampler, which knows where notes begin to end.
    keys = sorted({round(instrument.drawn_pitch(key)) for key in keys or instrument.keys})
    if choices is None:
        effects = instrument.labels.get("effect", ())
        choices = {str(effect): {"effect": effect} for effect in effects} or {name: {}}
    first, *others = (instrument.latents(1, seed + robin)[0] for robin in range(robins))
    vectors = [first, *(slerp(first, other, _NEIGHBOUR) for other in others)]
    limits = [instrument.keys[0], *((a + b) // 2 + 1 for a, b in pairwise(keys))]
    limits.append(instrument.keys[-1] + 1)
    samples: list[Sample] = []
    layers = list(_layers(instrument, choices, by_velocity))
    turns = list(enumerate(vectors, 1))
    for (choice, layer, values, softest, loudest), (robin, z) in product(layers, turns):
        for i, wave in enumerate(instrument.stream(keys, z, **values)):
            span = (limits[i], limits[i + 1] - 1, softest, loudest)
            file = f"{keys[i]:03d}-{layer}-{robin}"
            sample = Sample(file, wave, keys[i], *span, choice, robin)
            samples.append(_finished(sample, output, loops))
            if progress:
                progress(len(samples), len(layers) * robins * len(keys))
    count = 0 if by_velocity or len(choices) == 1 else len(choices)
    below = (instrument.keys[0] - count) // 12 * 12
    lowest = below if below >= 0 else instrument.keys[-1] + 1
    equal = tuple(_equally_loud(samples, output.rate))
    switches = range(lowest, lowest + count)
    return SampleSet(name, equal, tuple(choices), switches, robins, output, suffix)


def _layers(
    instrument: Instrument, choices: Mapping[str, Mapping[str, Any]], by_velocity: bool
) -> Iterator[tuple[int, str, dict[str, Any], int, int]]:
    """Number of the choice, name in files, labels, softest and loudest velocity of each layer."""
    trained = sorted(instrument.labels.get("velocity", ()))
    names = [re.sub(r"[^A-Za-z0-9_-]", "_", name) for name in choices]
    if len(set(names)) < len(names):
        names = [f"{name}_{number}" for number, name in enumerate(names, 1)]
    for choice, (name, values) in enumerate(zip(names, choices.values(), strict=True)):
        if by_velocity:
            softest, after = (128 * n // len(choices) for n in (choice, choice + 1))
            yield choice, name, dict(values), softest, after - 1
        elif not trained or "velocity" in values:
            yield choice, name, dict(values), 0, 127
        else:
            bounds = [0, *((a + b) // 2 + 1 for a, b in pairwise(trained)), 128]
            for velocity, (softest, after) in zip(trained, pairwise(bounds), strict=True):
                labels = {**values, "velocity": velocity}
                yield choice, f"{name}-{velocity}", labels, softest, after - 1


def parse_keys(text: str, keys: range) -> list[int]:
    """Keys such as ``E1..E3/3``: from and to, and every n-th; either part may be missing.

    >>> parse_keys("40..44/2", range(128))
    [40, 42, 44]
    """
    match = _KEYS.fullmatch(text.strip())
    if not match or not text.strip():
        raise SettingsError(f"keys: found {text}, expected a range such as E1..E3, /3 or E1..E3/3")
    low, high = (
        end if match[side] is None else parse_pitch(match[side].strip())
        for side, end in (("low", keys[0]), ("high", keys[-1]))
    )
    if not keys[0] <= low <= high <= keys[-1] or low != round(low):
        raise SettingsError(f"keys: found {text}, expected keys from {keys[0]} to {keys[-1]}")
    return list(range(round(low), round(high) + 1, int(match["step"] or 1)))


def find_loop(wave: np.ndarray) -> tuple[int, int] | None:
    """The start and end before which a note at 16 kHz is most alike, or None."""
    width = round(_FADE * SAMPLE_RATE)
    for shortest, longest in _LENGTHS:
        best, found = _ALIKE, None
        for end in _ENDS:
            last, first = wave[end - width : end], end - longest - width
            choices = sliding_window_view(wave[first : end - shortest], width)
            norms = np.linalg.norm(choices, axis=1) * np.linalg.norm(last)
            alike = choices @ last / np.maximum(norms, 1e-12)
            if alike.max() > best:
                best, found = alike.max(), (first + int(alike.argmax()) + width, end)
        if found:
            return found
    return None


def loop(wave: np.ndarray, rate: int, start: int, end: int) -> np.ndarray:
    """A note whose sound before the end of a loop becomes that before its start.

    Along the loop the level is evened out; what follows the end is as loud as the loop.
    """
    width = round(_FADE * rate)
    before, result = wave[start - width : start], wave.astype(np.float32)
    gain = np.linalg.norm(before) / np.linalg.norm(wave[end - width : end])
    result[start:end] *= gain ** np.linspace(0, 1, end - start, dtype=np.float32)
    result[end:] *= np.float32(gain)
    share = np.linspace(0, 1, width, dtype=np.float32)
    result[end - width : end] = (1 - share) * result[end - width : end] + share * before
    return result


def _finished(sample: Sample, output: Output, loops: bool) -> Sample:
    """A generated note in tune, at the rate of the output, with its loop."""
    wave, rate = sample.wave, output.rate
    ends = find_loop(wave) if loops else None
    # A note may waver, and is tuned as it is held.
    held = wave if ends is None else np.resize(wave[slice(*ends)], len(wave))
    off = float(cents(held[None], np.array([sample.key]))[0])
    off = off if abs(off) <= _MOST_CENTS else 0.0
    decay = float(measure_tails(wave[None]).t20[0])
    decay = decay if np.isfinite(decay) else _FADE_OUT
    sample = replace(sample, wave=output.resampled(wave), cents=off, decay=decay)
    if ends is None:
        return sample
    first, last = _level(wave, _EARLY), _level(wave, ends[0])
    loss = (first - last) * ends[0] / (ends[0] - _EARLY)
    gain = float(np.clip(loss / 2, 0, _MOST_GAIN))
    start, end = (round(at * rate / SAMPLE_RATE) for at in ends)
    wave = loop(sample.wave, rate, start, end)
    return replace(sample, wave=wave, loop=(start, end), gain=gain)


def _level(wave: np.ndarray, at: int) -> float:
    """dB over 0.1 s from a sample on."""
    return float(10 * np.log10(np.square(wave[at : at + SAMPLE_RATE // 10]).mean() + 1e-12))


def _equally_loud(samples: list[Sample], rate: int) -> list[Sample]:
    """All as loud as the loudest level at which none is beyond -1 dB of full scale."""
    levels = [loudness(sample.wave[: round(_LOUD * rate)], rate) for sample in samples]
    peaks = [float(np.abs(sample.wave).max(initial=0)) for sample in samples]
    heard = np.isfinite(levels) & (np.array(peaks) > 0)
    room = np.array(levels) + 20 * np.log10(PEAK / np.maximum(peaks, 1e-12))
    target = np.min(room, where=heard, initial=np.inf)
    gains = np.where(heard, 10 ** ((target - np.array(levels)) / 20), 1).astype(np.float32)
    louder = zip(samples, gains, strict=True)
    return [replace(sample, wave=sample.wave * gain) for sample, gain in louder]
