"""Recirculating delay lines: filters whose only taps are a whole number of samples apart."""

import numpy as np
from scipy.signal import lfilter

from reverbsynth.audio.format import SAMPLE_RATE


def allpass_chain(audio: np.ndarray, delays: np.ndarray, decay: float) -> np.ndarray:
    """Filter ``audio`` (samples last) through one `allpass` for each delay, in series."""
    wave = np.asarray(audio, np.float64)
    for delay in np.asarray(delays, np.float32):
        wave = allpass(wave, delay, decay)
    return wave.astype(np.float32)


def allpass(audio: np.ndarray, delay: float, decay: float) -> np.ndarray:
    """A Schroeder allpass filter, as SuperCollider's ``AllpassN`` computes it.

    ``y[n] = -g x[n] + x[n - d] + g y[n - d]`` (Schroeder 1962, "Natural sounding artificial
    reverberation", figure 4, with the signs of AllpassN). The echoes fall by 60 dB in ``decay``
    seconds: ``g = 10^(-3 delay / decay)``, and 0 for no delay.
    """
    feedback = 10 ** (-3 * float(delay) / decay) if delay > 0 else 0.0
    return recirculate(audio, whole_samples(delay), [-feedback, 1.0], [1.0, -feedback])


def whole_samples(delay: float) -> int:
    """A delay in samples, 1 or more, as SuperCollider's N-type (uninterpolated) delays round it."""
    return max(int(np.float32(delay) * np.float32(SAMPLE_RATE)), 1)


def recirculate(audio: np.ndarray, period: int, b: list[float], a: list[float]) -> np.ndarray:
    """Filter ``audio`` (samples last) with ``b`` and ``a``, whose taps are ``period`` apart."""
    samples = audio.shape[-1]  # Every ``period``-th one is a filter problem of its own.
    padding = [(0, 0)] * (audio.ndim - 1) + [(0, -samples % period)]
    phases = np.pad(audio, padding).reshape(*audio.shape[:-1], -1, period)
    return lfilter(b, a, phases, axis=-2).reshape(*audio.shape[:-1], -1)[..., :samples]
