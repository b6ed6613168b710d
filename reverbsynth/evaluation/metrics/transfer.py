"""How near a recording with an effect comes to its true twin."""

import numpy as np
from scipy.signal import stft

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.reverberation import audible, energy_decay
from reverbsynth.audio.spectrum import log_spectral_distance, mel_levels
from reverbsynth.audio.tails import measure_tails

NOTICEABLE = 0.05  # share of a decay time: just noticeable by ISO 3382-1, table A.1
RESOLUTIONS = (512, 1024, 2048)  # windows in samples, with hops of a quarter
DECAY_FLOOR = -60.0  # dB: where energy decay curves end

DISTANCES = {
    "spectrum": "log-spectral distance (dB)",
    "resolutions": "multi-resolution STFT distance",
    "decay": "energy decay curve, off by (dB)",
    "octaves": "share of octaves whose T20 is within 5 %",
}


def distances(wave: np.ndarray, twin: np.ndarray) -> dict[str, float | None]:
    """Measure `DISTANCES` of a wave from its true twin; octaves are those where that has a T20."""
    levels = mel_levels(np.stack([wave, twin]))
    decays = measure_tails(np.stack([wave, twin])).octaves
    timed = np.isfinite(decays[1])
    near = np.abs(decays[0][timed] - decays[1][timed]) <= NOTICEABLE * decays[1][timed]
    tails = [audible(each)[int(NOTE_OFF * SAMPLE_RATE) :] for each in (wave, twin)]
    curves = [np.maximum(energy_decay(tail), DECAY_FLOOR) for tail in tails]
    return {
        "spectrum": float(log_spectral_distance(*levels)),
        "resolutions": multi_resolution(wave, twin),
        "decay": float(np.abs(curves[0] - curves[1]).mean()),
        "octaves": float(near.mean()) if timed.any() else None,
    }


def multi_resolution(wave: np.ndarray, twin: np.ndarray) -> float:
    """Return the mean over resolutions of spectral convergence plus log-magnitude distance.

    Yamamoto, Song and Kim, "Parallel WaveGAN" (2020), equations 3 to 6; magnitudes are no lower
    than 80 dB below the twin's highest.
    """
    results = []
    for window in RESOLUTIONS:
        pair = stft([wave, twin], nperseg=window, noverlap=window - window // 4)[2]
        ours, theirs = np.abs(pair)
        convergence = np.linalg.norm(ours - theirs) / max(float(np.linalg.norm(theirs)), 1e-12)
        floor = max(1e-4 * float(theirs.max()), 1e-12)
        ratio = np.maximum(ours, floor) / np.maximum(theirs, floor)
        results.append(convergence + np.abs(np.log(ratio)).mean())
    return float(np.mean(results))
