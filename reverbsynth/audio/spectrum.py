"""Levels over time and frequency, and distances between them."""

import librosa
import numpy as np
from scipy.spatial.distance import cdist

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.progress import batched

FLOOR = -80.0
"""Levels in dB are counted from a note's loudest point and end here."""

TREBLE = 4000.0
"""Hz: the paper's published sample with reverb has a peak above it, its dry one has nothing."""

_AT_ONCE = 64


def mel_levels(
    waves: np.ndarray,
    bands: int = 64,
    window: int = 2048,
    hop: int = 1024,
    floor: float = FLOOR,
) -> np.ndarray:
    """Levels in mel bands, in dB from each note's loudest point and no lower than `floor`.

    The notes' own loudness drops out: velocity is a gain, and is not what is compared.

    Parameters
    ----------
    waves : ndarray [shape=(n, 64000)]
        Finite.
    bands, window, hop : int
        Number of bands (0 to 8000 Hz); samples of a window and from one to the next.
    floor : float
        Lowest level in dB.

    Returns
    -------
    ndarray, float32 [shape=(n, frames, bands)]
    """
    parts = [np.empty((0, 1 + waves.shape[1] // hop, bands), np.float32)]
    for some in batched(waves, _AT_ONCE):
        power = librosa.feature.melspectrogram(
            y=np.stack(some), sr=SAMPLE_RATE, n_fft=window, hop_length=hop, n_mels=bands
        )
        levels = 10 * np.log10(np.maximum(power, 1e-20))
        parts.append(from_peak(levels, floor).transpose(0, 2, 1))
    return np.concatenate(parts)


def from_peak(levels: np.ndarray, floor: float = FLOOR) -> np.ndarray:
    """Levels in dB [shape=(n, a, b)], counted from each note's highest and floored, float32."""
    peak = levels.max(axis=(1, 2), keepdims=True)
    return np.maximum(levels - peak, floor).astype(np.float32)


def treble(wave: np.ndarray) -> float:
    """Energy above 4 kHz over all energy, in dB and no lower than -100 [wave: shape=(n,)]."""
    power = np.square(np.abs(np.fft.rfft(wave)))
    above = np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE) > TREBLE
    return float(10 * np.log10(max(power[above].sum() / power.sum(), 1e-10)))


def brightness(wave: np.ndarray) -> float:
    """Spectral centroid of the whole note in octaves (log2 of its Hz) [wave: shape=(n,)].

    Peeters, "A large set of audio features" (2004), section 6.1.1.
    """
    power = np.square(np.abs(np.fft.rfft(wave)))
    hz = np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE)
    return float(np.log2((hz * power).sum() / power.sum()))


def log_spectral_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Root mean square difference of levels over bands, averaged over time, in dB.

    Gray and Markel, "Distance measures for speech processing" (1976), equation 2 with p = 2, over
    mel bands.

    Parameters
    ----------
    first, second : ndarray [shape=(..., frames, bands)]
        Levels as of `mel_levels`.

    Returns
    -------
    ndarray [shape=(...)]
    """
    return np.sqrt(np.mean(np.square(first - second), axis=-1)).mean(axis=-1)


def nearest_of_same_pitch(
    levels: np.ndarray, pitches: np.ndarray, real: np.ndarray, real_pitches: np.ndarray
) -> np.ndarray:
    """Log-spectral distance of each note to the nearest real note of its pitch, in dB.

    Parameters
    ----------
    levels, real : ndarray [shape=(n, frames, bands)]
    pitches, real_pitches : ndarray [shape=(n,)]

    Returns
    -------
    ndarray [shape=(n,)]
        NaN where no real note has the pitch.
    """
    distances = np.full(len(levels), np.nan)
    for place, (level, pitch) in enumerate(zip(levels, pitches, strict=True)):
        same = real[real_pitches == pitch]
        if len(same):
            distances[place] = log_spectral_distance(same, level).min()
    return distances


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Root mean square difference of levels in dB, of every pair [shape=(n, m)].

    Parameters
    ----------
    first, second : ndarray [shape=(n, frames, bands)], [shape=(m, frames, bands)]
    """
    size = first[0].size if len(first) else 1
    return cdist(first.reshape(len(first), -1), second.reshape(len(second), -1)) / np.sqrt(size)
