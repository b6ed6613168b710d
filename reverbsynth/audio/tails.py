"""Reverb, measured on a note's tail: what sounds after its release at 3.0 s.

Terms and ranges of levels are those of ISO 3382-1 (2009), "Acoustics: measurement of room acoustic
parameters", with the note's tail in place of a room's impulse response.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from reverbsynth.audio.format import NOTE_LENGTH, NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.reverberation import OCTAVES, energy_decay, octave_band

T20 = (-5.0, -25.0)
"""Levels in dB between which T20 is fitted (ISO 3382-1, 3.5)."""

EDT = (0.0, -10.0)
"""Levels in dB between which the early decay time is fitted (ISO 3382-1, A.2.2)."""

STRAIGHTNESS = 0.95
"""Least r² of the line through a decay."""


def longest_measurable_decay(levels: tuple[float, float] = T20) -> float:
    """The longest decay time in seconds that a tail shows: it must fall to the lower level."""
    return -60 / levels[1] * (NOTE_LENGTH / SAMPLE_RATE - NOTE_OFF)


SILENT, PLATEAU, SLOW, BENT, SHORT = "silent", "plateau", "too slow", "not straight", "too short"
_TAIL = slice(int(NOTE_OFF * SAMPLE_RATE), NOTE_LENGTH)
_SUSTAIN = slice(int(2.5 * SAMPLE_RATE), int(3.0 * SAMPLE_RATE))
_RING = slice(int(3.05 * SAMPLE_RATE), int(3.6 * SAMPLE_RATE))

_SILENCE = 1e-8
"""Energy relative to the whole note's below which a part is silent: -80 dB."""

_FLOOR = -80.0

_STILL = 3.0
"""A tail that falls by less than this many dB in its last half ends on a plateau."""

_WINDOW = 320

_POINTS = 500
"""A line is fitted to about so many points of a curve."""


@dataclass(frozen=True)
class DecayFit:
    """A decay time.

    Attributes
    ----------
    seconds
        Extrapolated to a fall of 60 dB; NaN where there is a word.
    r2
        Square of the correlation of level and time where the line was fitted; NaN without a line.
    missing_reason
        ``silent``; ``plateau``, which is no decay; ``too slow`` to be measured in the time there
        is; ``not straight``; ``too short``, over within two samples. Empty for a decay.
    """

    seconds: float
    r2: float
    missing_reason: str


@dataclass(frozen=True)
class Tails:
    """Tails of notes, each array [shape=(n,)].

    Attributes
    ----------
    ratio
        Tail-to-sustain ratio in dB, NaN where `ratio_missing_reason` says why not.
    t20, edt
        Seconds, NaN where the word says why not. One that is ``too slow`` counts as the `longest`
        there is, so that a median over notes is not that of the quick ones alone.
    r2
        Of the line that T20 is read from.
    octaves
        T20 of each octave band [shape=(n, 7)] and its words.
    """

    ratio: np.ndarray
    ratio_missing_reason: np.ndarray
    t20: np.ndarray
    t20_missing_reason: np.ndarray
    r2: np.ndarray
    edt: np.ndarray
    edt_missing_reason: np.ndarray
    octaves: np.ndarray
    octave_words: np.ndarray

    @property
    def decays(self) -> np.ndarray:
        """Whether a tail decays along a straight line, by 25 dB or more [shape=(n,)]."""
        return self.t20_missing_reason == ""


def fit_decay(
    tail: np.ndarray, levels: tuple[float, float] = T20, straightness: float = STRAIGHTNESS
) -> DecayFit:
    """Time in which a tail decays by 60 dB, read off its energy decay curve.

    Schroeder's curve ("New method of measuring reverberation time", 1965) of a tail that is cut
    off dives at its end. ISO 3382-1 (5.3.3) adds the energy that would have followed, for a decay
    that goes on as it was; here the line itself tells that energy, and both are found in turns.

    Parameters
    ----------
    tail : ndarray [shape=(n,)]
        Samples at 16 kHz.
    levels : tuple of float
        From where to where in dB the line is fitted: `T20` or `EDT`.
    straightness : float
        Least r².
    """
    if not np.square(tail, dtype=np.float64).sum() > 0:
        return DecayFit(np.nan, np.nan, SILENT)
    energy = 10 ** (energy_decay(tail) / 10)
    start, stop = 10 ** (levels[0] / 10), 10 ** (levels[1] / 10)
    missing = 0.0
    for _ in range(100):
        curve = (energy + missing) / (1 + missing)
        if curve[-1] > stop:
            return DecayFit(np.nan, np.nan, PLATEAU if _still(tail) else SLOW)
        first, last = int(np.argmax(curve <= start)), int(np.argmax(curve <= stop))
        if last - first < 2:
            return DecayFit(np.nan, np.nan, SHORT)
        places = np.arange(first, last + 1, max((last - first) // _POINTS, 1))
        seconds, level = places / SAMPLE_RATE, 10 * np.log10(curve[places])
        slope, start_level = np.polyfit(seconds, level, 1)
        end = start_level + slope * len(tail) / SAMPLE_RATE
        before, missing = missing, (1 + missing) * 10 ** (end / 10)
        if abs(missing - before) < 1e-7:
            break
    r2 = float(np.corrcoef(seconds, level)[0, 1] ** 2)
    if r2 < straightness:
        return DecayFit(np.nan, r2, BENT)
    return DecayFit(float(-60 / slope), r2, "")


def tail_ratio(wave: np.ndarray) -> tuple[float, str]:
    """Level of the tail (3.05 to 3.6 s) over that of the held note (2.5 to 3.0 s).

    The 50 ms after the release are left out: there the note itself dies away.

    Parameters
    ----------
    wave : ndarray [shape=(64000,)]

    Returns
    -------
    float
        In dB, no lower than -80; NaN for a note that is silent before its release.
    str
        ``silent`` for such a note, else empty.
    """
    power = np.square(wave, dtype=np.float64)
    sustain = power[_SUSTAIN].mean()
    if not sustain > _SILENCE * power.mean():
        return np.nan, SILENT
    return max(float(10 * np.log10(max(power[_RING].mean() / sustain, 1e-12))), _FLOOR), ""


def measure_tails(waves: np.ndarray, straightness: float = STRAIGHTNESS) -> Tails:
    """Measure the tails of notes [shape=(n, 64000)], finite and not silent."""
    rows = [_measure_tail(wave, straightness) for wave in waves]
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in range(9)]
    numbers = (float, str, float, str, float, float, str, float, str)
    kinds = [object if kind is str else float for kind in numbers]
    arrays = [np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    arrays[7] = arrays[7].reshape(len(rows), len(OCTAVES))
    arrays[8] = arrays[8].reshape(len(rows), len(OCTAVES))
    return Tails(*arrays)


def levels(waves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level around the release, relative to the held note's.

    Returns
    -------
    ndarray [shape=(75,)]
        Seconds from the release, from -0.5 to 1.0.
    ndarray [shape=(n, 75)]
        Mean level of 20 ms in dB of the level from 2.5 to 3.0 s, no lower than -80; NaN for a note
        that is silent there.
    """
    power = np.square(waves, dtype=np.float64)
    sustain = power[:, _SUSTAIN].mean(axis=1, keepdims=True)
    audible = sustain > _SILENCE * power.mean(axis=1, keepdims=True)
    part = power[:, _SUSTAIN.start :]
    frames = part.reshape(len(waves), part.shape[1] // _WINDOW, _WINDOW).mean(axis=2)
    ratio = frames / np.where(audible, sustain, 1)
    curves = np.maximum(10 * np.log10(np.maximum(ratio, 1e-12)), _FLOOR)
    seconds = (np.arange(frames.shape[1]) + 0.5) * _WINDOW / SAMPLE_RATE - 0.5
    return seconds, np.where(audible, curves, np.nan)


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """Wasserstein distance of two samples of numbers, in their unit; NaN values do not count.

    The mean absolute difference of their quantiles (`scipy.stats.wasserstein_distance`).
    """
    first, second = first[np.isfinite(first)], second[np.isfinite(second)]
    if not len(first) or not len(second):
        return np.nan
    return float(stats.wasserstein_distance(first, second))


def _measure_tail(wave: np.ndarray, straightness: float) -> tuple:
    tail = wave[_TAIL].astype(np.float64)
    whole = np.square(wave, dtype=np.float64).sum()

    def measured(part: np.ndarray, levels: tuple[float, float]) -> DecayFit:
        if not np.square(part).sum() > _SILENCE * whole:
            return DecayFit(np.nan, np.nan, SILENT)
        found = fit_decay(part, levels, straightness)
        return (
            DecayFit(longest_measurable_decay(levels), np.nan, SLOW)
            if found.missing_reason == SLOW
            else found
        )

    t20, edt = measured(tail, T20), measured(tail, EDT)
    octaves = [measured(octave_band(tail, center), T20) for center in OCTAVES]
    return (
        *tail_ratio(wave),
        *(t20.seconds, t20.missing_reason, t20.r2),
        *(edt.seconds, edt.missing_reason),
        [octave.seconds for octave in octaves],
        [octave.missing_reason for octave in octaves],
    )


def _still(tail: np.ndarray) -> bool:
    """Whether the last quarter of a tail is about as loud as the one before."""
    quarters = np.array_split(np.square(tail, dtype=np.float64), 4)
    return bool(quarters[3].mean() * 10 ** (_STILL / 10) > quarters[2].mean())
