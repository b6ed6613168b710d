"""What else could give a recording a learned effect: impulse responses fitted to training twins."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import oaconvolve

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.reverberation import OCTAVES, decay_by_octave
from reverbsynth.audio.spectrum import log_spectral_distance, mel_levels
from reverbsynth.seeds import evenly_spaced

REGULARIZATION = 1e-6  # as a share of the notes' mean power over frequencies
DELAYS = (367, 449, 547, 631, 743, 853, 967, 1087)  # samples: primes from 23 to 68 ms
MIXES = np.arange(-30.0, 13.0, 3.0)  # dB: levels of the wet sound against the dry one
_PAIRS = 12  # twins on which the mix is chosen
_CROSSOVER = 1000.0  # Hz: octaves below tell the low decay time, those above the high one


def convolved(waves: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Waves with an impulse response [shape as the waves, (n, samples)], cut to their length."""
    full = oaconvolve(waves, np.atleast_2d(response), axes=-1)
    return full[..., : waves.shape[-1]].astype(np.float32)


def estimated_response(dry: np.ndarray, wet: np.ndarray) -> np.ndarray:
    """``sum X* Y / (sum |X|² + λ)`` over twins' spectra: the least squares, as long as a note."""
    length = len(dry[0])
    size = next_fast_len(2 * length, real=True)
    cross, power = np.zeros(size // 2 + 1, complex), np.zeros(size // 2 + 1)
    for before, after in zip(dry, wet, strict=True):
        x = rfft(before, size)
        cross += x.conj() * rfft(after, size)
        power += np.abs(x) ** 2
    return irfft(cross / (power + REGULARIZATION * power.mean()), size)[:length]


def fitted_feedback_delays(
    dry: np.ndarray, wet: np.ndarray, response: np.ndarray
) -> np.ndarray | None:
    """The response of a feedback delay network [shape=(samples,)] that is set to twins.

    Decay times are those of the estimated ``response``, and the mix is the one with the smallest
    log-spectral distance on the twins. None where nothing decays.
    """
    decays = np.array(list(decay_by_octave(response).values()))
    low, high = decays[np.array(OCTAVES) < _CROSSOVER], decays[np.array(OCTAVES) >= _CROSSOVER]
    if not (np.isfinite(low).any() and np.isfinite(high).any()):
        return None
    tail = feedback_delays(np.nanmedian(low), np.nanmedian(high), len(response))
    tail /= np.sqrt(np.sum(tail**2))
    some = evenly_spaced(len(dry), _PAIRS)
    dry, wet = dry[some], wet[some]
    added, levels = convolved(dry, tail), mel_levels(wet)
    gains = 10 ** (MIXES / 20)
    distances = [
        log_spectral_distance(mel_levels(dry + gain * added), levels).mean() for gain in gains
    ]
    mixed = gains[int(np.argmin(distances))] * tail
    mixed[0] += 1
    return mixed


def feedback_delays(low: float, high: float, length: int) -> np.ndarray:
    """The impulse response of a feedback delay network: decay times in seconds at 0 and 8 kHz.

    Jot and Chaigne, "Digital delay networks for designing artificial reverberators" (1991): delay
    lines, each with a one-pole filter that absorbs, fed back through a Householder matrix.
    """
    delays = np.array(DELAYS)[:, np.newaxis]
    at_low, at_high = (10 ** (-3 * delays / (SAMPLE_RATE * seconds)) for seconds in (low, high))
    poles = (at_low - at_high) / (at_low + at_high)
    # Three decay times beyond the end, what wraps around is 180 dB down.
    size = next_fast_len(length + round(3 * max(low, high) * SAMPLE_RATE), real=True)
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)  # a delay of one sample
    lines = z**delays * at_low * (1 - poles) / (1 - poles * z)
    # By the formula of Sherman and Morrison: the matrix is the identity less one of rank 1.
    alone = (lines / (1 - lines)).sum(axis=0)
    return irfft(alone / (1 + 2 / len(delays) * alone), size)[:length]
