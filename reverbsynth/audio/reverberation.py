"""How sound dies away: energy decay curves, decay times, and the filters they are taken through.

Terms are those of ISO 3382-1 (2009), "Acoustics: measurement of room acoustic parameters".
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from reverbsynth.audio.format import LOWEST_AUDIBLE, SAMPLE_RATE

T20 = (-5.0, -25.0)  #: dB between which T20 is fitted (ISO 3382-1, 3.5).
EDT = (0.0, -10.0)  #: dB between which the early decay time is fitted (ISO 3382-1, A.2.2).

#: Centers in Hz of the octave bands below 8 kHz (IEC 61260-1, base-two bands about 1 kHz).
OCTAVES = (62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
STRAIGHTNESS = 0.95  #: Least r² of the line through a decay.
SILENT, PLATEAU, SLOW, BENT, SHORT = "silent", "plateau", "too slow", "not straight", "too short"
_ORDER = 4
_END = int(0.05 * SAMPLE_RATE)
_FLOOR = 1e-12
_STILL = 3.0  # A sound that falls by fewer dB in its last half ends on a plateau.
_POINTS = 500  # A line is fitted to about so many points of a curve.


@dataclass(frozen=True)
class DecayFit:
    """A decay time in seconds, extrapolated to a fall of 60 dB, and its line's r² (level and time).

    Both are NaN where `missing_reason` says why: ``silent``, ``plateau`` (no decay), ``too slow``
    for the time there is, ``too short`` (two samples), or, with an r², ``not straight``.
    """

    seconds: float
    r2: float
    missing_reason: str


def audible(waves: np.ndarray) -> np.ndarray:
    """What is above 20 Hz of waves at 16 kHz (samples last), as float64.

    A recorded note's constant offset, which a reverb passes on, can be most of the power at the end
    of a wet note, though nobody hears it. The filter runs backwards in time: run forwards, it would
    ring from the offset's end, at a dry note's release, into the silence. It starts as if the last
    50 ms went on after the end, so that a constant leaves nothing at all.
    """
    waves = np.asarray(waves, np.float64)
    end = waves[..., -_END:].mean(axis=-1, keepdims=True)
    return _filtered_backwards(waves - end, LOWEST_AUDIBLE, "highpass")


def octave_band(wave: np.ndarray, center: float) -> np.ndarray:
    """The octave around ``center`` Hz of a wave at 16 kHz (samples last), as float64.

    The filter runs backwards in time, so that its own ringing precedes the decay rather than
    lengthening it (Jacobsen and Rindel 1987, "Time reversed decay measurements").
    """
    edges = (center / np.sqrt(2), center * np.sqrt(2))
    return _filtered_backwards(np.asarray(wave, np.float64), edges, "bandpass")


def energy_decay(response: np.ndarray) -> np.ndarray:
    """Schroeder's energy decay curve in dB, 0 at the start [shape as the response].

    The energy still to come, ``10 log10(sum_{m >= n} h[m]^2 / sum_m h[m]^2)`` (Schroeder 1965,
    "New method of measuring reverberation time", equation 3).
    """
    energy = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    return 10 * np.log10(np.maximum(energy / max(energy[0], _FLOOR), _FLOOR))


def fit_decay(
    response: np.ndarray, levels: tuple[float, float] = T20, straightness: float = STRAIGHTNESS
) -> DecayFit:
    """Time in which a response or tail [shape=(n,)] decays by 60 dB, by its energy decay curve.

    A line is fitted between the levels (`T20`, `EDT`), whose r² must reach ``straightness``. The
    curve of a sound that is cut off dives at its end. ISO 3382-1 (5.3.3) adds the energy that would
    have followed; here the line itself tells that energy, and both are found in turns.
    """
    if not np.square(response, dtype=np.float64).sum() > 0:
        return DecayFit(np.nan, np.nan, SILENT)
    energy = 10 ** (energy_decay(response) / 10)
    start, stop = 10 ** (levels[0] / 10), 10 ** (levels[1] / 10)
    missing = 0.0
    for _ in range(100):
        curve = (energy + missing) / (1 + missing)
        if curve[-1] > stop:
            return DecayFit(np.nan, np.nan, PLATEAU if _still(response) else SLOW)
        first, last = int(np.argmax(curve <= start)), int(np.argmax(curve <= stop))
        if last - first < 2:
            return DecayFit(np.nan, np.nan, SHORT)
        samples = np.arange(first, last + 1, max((last - first) // _POINTS, 1))
        seconds, level = samples / SAMPLE_RATE, 10 * np.log10(curve[samples])
        slope, start_level = np.polyfit(seconds, level, 1)
        end_level = start_level + slope * len(response) / SAMPLE_RATE
        before, missing = missing, (1 + missing) * 10 ** (end_level / 10)
        if abs(missing - before) < 1e-7:
            break
    r2 = float(np.corrcoef(seconds, level)[0, 1] ** 2)
    if r2 < straightness:
        return DecayFit(np.nan, r2, BENT)
    return DecayFit(float(-60 / slope), r2, "")


def decay_by_octave(response: np.ndarray) -> dict[float, float]:
    """T20 in seconds by octave band center in Hz, straight or not; NaN where there is none."""
    bands = {center: octave_band(response, center) for center in OCTAVES}
    return {center: fit_decay(band, straightness=0).seconds for center, band in bands.items()}


def _filtered_backwards(
    waves: np.ndarray, edges: float | tuple[float, float], kind: str
) -> np.ndarray:
    from scipy.signal import sosfilt

    return sosfilt(_sections(edges, kind), waves[..., ::-1])[..., ::-1]


@cache
def _sections(edges: float | tuple[float, float], kind: str) -> np.ndarray:
    from scipy.signal import butter

    return butter(_ORDER, edges, kind, fs=SAMPLE_RATE, output="sos")


def _still(response: np.ndarray) -> bool:
    """Whether the last quarter of a sound is about as loud as the one before."""
    quarters = np.array_split(np.square(response, dtype=np.float64), 4)
    return bool(quarters[3].mean() * 10 ** (_STILL / 10) > quarters[2].mean())
