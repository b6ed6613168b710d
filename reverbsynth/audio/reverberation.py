"""What an effect does to a note, measured: impulse response, decay per octave, spectra."""

import numpy as np
from scipy.signal import butter, sosfilt, welch

from reverbsynth.audio.format import SAMPLE_RATE

OCTAVES = (62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
"""Centers in Hz of the octave bands below 8 kHz (IEC 61260-1, base-two bands about 1 kHz)."""

FILTER_ORDER = 4

WHOLE = 0.8
"""Share of a response whose decay curve is believed."""

FLOOR = 1e-12
"""Power (-120 dB) that stands for silence."""


def energy_decay(response: np.ndarray) -> np.ndarray:
    """Schroeder's energy decay curve in dB, 0 at the start; of the response's shape.

    The energy still to come, ``10 log10(sum_{m >= n} h[m]^2 / sum_m h[m]^2)`` (Schroeder 1965,
    "New method of measuring reverberation time", equation 3).
    """
    energy = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    return 10 * np.log10(np.maximum(energy / max(energy[0], FLOOR), FLOOR))


def decay_time(response: np.ndarray, start: float = -5.0, stop: float = -25.0) -> float:
    """Seconds in which the reverberation falls by 60 dB, from a part of its decay.

    A line is fitted to `energy_decay` between two levels and extended to 60 dB; from -5 to -25 dB
    is T20 of ISO 3382-1.

    Parameters
    ----------
    response
        An impulse response at 16 kHz.
    start, stop
        Levels in dB.

    Returns
    -------
    float
        NaN where it falls within two samples, or not that far in the first 80 % of the response
        (the curve of a response that was cut dives at its end).
    """
    curve = energy_decay(response)
    inside = np.flatnonzero((curve <= start) & (curve >= stop))
    if len(inside) < 3 or inside[-1] > WHOLE * len(curve):
        return float("nan")
    slope = np.polyfit(inside / SAMPLE_RATE, curve[inside], 1)[0]
    return float(-60 / slope) if slope < 0 else float("nan")


def octave_band(wave: np.ndarray, center: float) -> np.ndarray:
    """The octave around ``center`` Hz of a wave at 16 kHz (samples last).

    The filter runs backwards in time, so that its own ringing precedes the decay rather than
    lengthening it (Jacobsen and Rindel 1987, "Time reversed decay measurements").
    """
    edges = (center / np.sqrt(2), center * np.sqrt(2))
    sections = butter(FILTER_ORDER, edges, "bandpass", fs=SAMPLE_RATE, output="sos")
    return sosfilt(sections, np.asarray(wave, np.float64)[..., ::-1])[..., ::-1]


def decay_by_octave(response: np.ndarray) -> dict[float, float]:
    """`decay_time` in seconds of each octave band, by its center in Hz."""
    return {center: decay_time(octave_band(response, center)) for center in OCTAVES}


def long_term_spectrum(audio: np.ndarray, window: int = 2048) -> tuple[np.ndarray, np.ndarray]:
    """The mean power spectrum of notes (Welch 1967, half-overlapping Hann windows).

    Parameters
    ----------
    audio
        Samples at 16 kHz, of shape (samples,) or (notes, samples).
    window
        Samples of a window.

    Returns
    -------
    tuple
        Frequencies in Hz and power in dB (a sine of full scale has about -3), each of shape
        (window // 2 + 1,).
    """
    frequencies, power = welch(
        np.atleast_2d(audio), SAMPLE_RATE, "hann", window, detrend=False, scaling="spectrum"
    )
    return frequencies, 10 * np.log10(np.maximum(power.mean(axis=0), FLOOR))


def share_above(audio: np.ndarray, frequency: float) -> float:
    """Level in dB of the energy above ``frequency`` Hz, relative to all of it."""
    power = np.square(np.abs(np.fft.rfft(np.atleast_2d(audio)))).sum(axis=0)
    above = np.fft.rfftfreq(np.shape(audio)[-1], 1 / SAMPLE_RATE) > frequency
    return float(10 * np.log10(max(power[above].sum() / max(power.sum(), FLOOR), FLOOR)))
