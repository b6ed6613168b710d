"""Reverb, measured by room acoustics' decay times on a note's tail: after its release at 3.0 s."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH, NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.reverberation import (
    EDT,
    OCTAVES,
    SILENT,
    SLOW,
    STRAIGHTNESS,
    T20,
    DecayFit,
    audible,
    fit_decay,
    octave_band,
)

_TAIL = slice(int(NOTE_OFF * SAMPLE_RATE), NOTE_LENGTH)
_SUSTAIN = slice(int(2.5 * SAMPLE_RATE), int(3.0 * SAMPLE_RATE))
_RING = slice(int(3.05 * SAMPLE_RATE), int(3.6 * SAMPLE_RATE))
_LATE = slice(int(3.2 * SAMPLE_RATE), _RING.stop)
_WINDOW = int(0.02 * SAMPLE_RATE)
_FLOOR = -80.0
_SILENCE = 1e-8  # Energy relative to the whole note's below which a part is silent: -80 dB.


@dataclass(frozen=True)
class Tails:
    """Tails of notes, each array [shape=(n,)]: NaN where ``missing`` has a reason, by name.

    The ratio of tail and sustain is in dB, and ``late`` the same from 3.2 s on: past what a frame
    of 128 ms, as in images of 32 × 256, smears over the release. T20 (with its line's ``r2``), the
    early decay time and T20 by octave [shape=(n, 7)] are in seconds. One that is ``too slow``
    counts as the longest that can be measured, so that a median is not that of the quick ones.
    """

    ratio: np.ndarray
    late: np.ndarray
    t20: np.ndarray
    r2: np.ndarray
    edt: np.ndarray
    octaves: np.ndarray
    missing: dict[str, np.ndarray]

    @property
    def decays(self) -> np.ndarray:
        """Whether a tail decays along a straight line, by 25 dB or more [shape=(n,)]."""
        return self.missing["t20"] == ""


def longest_measurable_decay(levels: tuple[float, float] = T20) -> float:
    """The longest decay time in seconds that a tail shows, if it is at the first level at once."""
    return 60 / (levels[0] - levels[1]) * (NOTE_LENGTH / SAMPLE_RATE - NOTE_OFF)


def tail_ratio(wave: np.ndarray) -> float:
    """Level of the tail (3.05 to 3.6 s) over that of the held note (2.5 to 3.0 s), above 20 Hz.

    Within 50 ms of the release the note itself dies away. In dB, at least -80; NaN for a note that
    is silent before its release.
    """
    return _ratios(audible(wave))[0]


def measure_tails(waves: np.ndarray, straightness: float = STRAIGHTNESS) -> Tails:
    """Measure the tails of finite notes [shape=(n, 64000)]; a decay's r² has a lower limit."""
    rows = [_measure_tail(audible(wave), straightness) for wave in waves]
    ratios = np.array([of_note for of_note, _ in rows], object).reshape(-1, 3)
    seconds, r2, reasons = (
        np.array([[getattr(fit, name) for fit in fits] for _, fits in rows], dtype).reshape(-1, 9)
        for name, dtype in (("seconds", float), ("r2", float), ("missing_reason", object))
    )
    columns: dict[str, Any] = {"t20": 0, "edt": 1, "octaves": slice(2, None)}
    decays = {name: seconds[:, at] for name, at in columns.items()}
    missing = {name: reasons[:, at] for name, at in {**columns, "r2": 0}.items()}
    missing |= dict.fromkeys(("ratio", "late"), ratios[:, 2])
    ratio, late = ratios[:, :2].astype(float).T
    return Tails(ratio, late, r2=r2[:, 0], missing=missing, **decays)


def levels(waves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level around the release, relative to the held note's (2.5 to 3.0 s), above 20 Hz.

    Seconds from the release, from -0.5 to 1.0 [shape=(75,)], and mean levels of 20 ms in dB, no
    lower than -80 [shape=(n, 75)]; NaN for a note that is silent before.
    """
    levels = np.array([_release_levels(audible(wave)) for wave in waves])
    seconds = (np.arange(levels.shape[1]) + 0.5) * _WINDOW / SAMPLE_RATE - 0.5
    return seconds, levels


def _release_levels(heard: np.ndarray) -> np.ndarray:
    power = np.square(heard)
    frames = power[_SUSTAIN.start :].reshape(-1, _WINDOW).mean(axis=1)
    sustain = power[_SUSTAIN].mean()
    sounds = sustain > _SILENCE * power.mean()
    return _decibels(frames / sustain) if sounds else np.full(len(frames), np.nan)


def _ratios(heard: np.ndarray) -> tuple[float, float, str]:
    """The ratio, the late one, and why there are none."""
    power = np.square(heard)
    sustain = power[_SUSTAIN].mean()
    if not sustain > _SILENCE * power.mean():
        return np.nan, np.nan, SILENT
    ring, late = (float(_decibels(power[part].mean() / sustain)) for part in (_RING, _LATE))
    return ring, late, ""


def _decibels(ratio: np.ndarray) -> np.ndarray:
    return np.maximum(10 * np.log10(np.maximum(ratio, 1e-12)), _FLOOR)


def _measure_tail(heard: np.ndarray, straightness: float) -> tuple[tuple, list[DecayFit]]:
    """The ratios, T20, early decay time, and T20 by octave of what is audible of a note."""
    tail, silence = heard[_TAIL], _SILENCE * np.square(heard).sum()

    def fit(part: np.ndarray, levels: tuple[float, float] = T20) -> DecayFit:
        if not np.square(part).sum() > silence:
            return DecayFit(np.nan, np.nan, SILENT)
        decay = fit_decay(part, levels, straightness)
        if decay.missing_reason == SLOW:
            return DecayFit(longest_measurable_decay(levels), np.nan, SLOW)
        return decay

    octaves = [fit(octave_band(tail, center)) for center in OCTAVES]
    return _ratios(heard), [fit(tail), fit(tail, EDT), *octaves]
