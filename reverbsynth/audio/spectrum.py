"""Levels over time and frequency, and distances between them."""

from functools import cache

import numpy as np
from scipy import sparse
from scipy.fft import fft
from scipy.signal import welch
from scipy.spatial.distance import cdist

from reverbsynth.audio.format import LOWEST_AUDIBLE, SAMPLE_RATE
from reverbsynth.progress import batched

FLOOR = -80.0  #: Levels in dB are counted from a note's loudest point and end here.

# Hz: the paper's published sample with reverb has a peak above it, its dry one has nothing.
TREBLE = 4000.0
BINS_PER_SEMITONE = 2
_LOWEST_BIN = 24  # a MIDI pitch; lower notes show by their harmonics
_OCTAVES = 7.75
_HOP = 8000
_AT_ONCE = 64
_SILENCE = 1e-12


def mel_levels(
    waves: np.ndarray, bands: int = 64, window: int = 2048, hop: int = 1024
) -> np.ndarray:
    """Levels in mel bands from 20 to 8000 Hz, float32 [shape=(n, frames, bands)].

    In dB from the loudest point of each note [shape=(n, 64000)], and no lower than `FLOOR`: the
    notes' own loudness, a gain, drops out. A constant offset is in no band.
    """
    import librosa

    parts = [np.empty((0, 1 + waves.shape[1] // hop, bands), np.float32)]
    for some in batched(waves, _AT_ONCE):
        framing = {"sr": SAMPLE_RATE, "n_fft": window, "hop_length": hop, "n_mels": bands}
        power = librosa.feature.melspectrogram(y=np.stack(some), fmin=LOWEST_AUDIBLE, **framing)
        levels = 10 * np.log10(np.maximum(power, 1e-20))
        parts.append(from_peak(levels).transpose(0, 2, 1))
    return np.concatenate(parts)


def from_peak(levels: np.ndarray) -> np.ndarray:
    """Levels in dB [shape=(n, a, b)], counted from each note's highest and floored, float32."""
    peak = levels.max(axis=(1, 2), keepdims=True)
    return np.maximum(levels - peak, FLOOR).astype(np.float32)


def constant_q_levels(waves: np.ndarray) -> np.ndarray:
    """Levels in constant-Q bins, half a semitone each, float32 [shape=(n, bins, 9)].

    `librosa.pseudo_cqt` of notes [shape=(n, 64000)], in dB as of `mel_levels`.
    """
    import librosa

    filters, size = _constant_q_filters()
    parts = [np.empty((0, filters.shape[0], 1 + waves.shape[1] // _HOP), np.float32)]
    for some in batched(waves, _AT_ONCE):
        spectra = np.abs(librosa.stft(np.stack(some), n_fft=size, hop_length=_HOP))
        transform = np.stack([filters @ spectrum for spectrum in spectra])
        parts.append(from_peak(20 * np.log10(np.maximum(transform, 1e-10))))
    return np.concatenate(parts)


@cache
def _constant_q_filters() -> tuple[sparse.csr_matrix, int]:
    """What librosa designs anew in every call: weights for the magnitudes of an FFT
    [shape=(bins, FFT's bins)], and the FFT's size.
    """
    import librosa
    from librosa.filters import wavelet

    per_octave, lowest = 12 * BINS_PER_SEMITONE, librosa.midi_to_hz(_LOWEST_BIN)
    bins = int(per_octave * _OCTAVES)
    frequencies = librosa.cqt_frequencies(bins, fmin=lowest, bins_per_octave=per_octave)
    responses, lengths = wavelet(freqs=frequencies, sr=SAMPLE_RATE)
    size = responses.shape[1]
    spectra = fft(responses * (lengths[:, np.newaxis] / size).astype(np.float32))
    kept = librosa.util.sparsify_rows(spectra[:, : size // 2 + 1], quantile=0.01)
    return abs(kept) / np.float32(size**0.5), size


def treble(waves: np.ndarray) -> float:
    """Summed energy of notes above 4 kHz over all audible energy, in dB and no lower than -120."""
    frequencies, power = _power(waves)
    ratio = power[frequencies > TREBLE].sum() / max(power.sum(), _SILENCE)
    return float(10 * np.log10(max(ratio, _SILENCE)))


def brightness(wave: np.ndarray) -> float:
    """Spectral centroid in log2 of Hz (Peeters 2004, "A large set of audio features", 6.1.1)."""
    frequencies, power = _power(wave)
    return float(np.log2((frequencies * power).sum() / power.sum()))


def long_term_spectrum(wave: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz, and the mean power of a note in dB (Welch 1967); a full sine has -3."""
    frequencies, power = welch(wave, SAMPLE_RATE, "hann", window, detrend=False, scaling="spectrum")
    return frequencies, 10 * np.log10(np.maximum(power, _SILENCE))


def log_spectral_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Root mean square difference of `mel_levels` over bands, averaged over time, in dB.

    Gray and Markel, "Distance measures for speech processing" (1976), equation 2 with p = 2.
    """
    return np.sqrt(np.mean(np.square(first - second), axis=-1)).mean(axis=-1)


def nearest_of_same_pitch(
    levels: np.ndarray, pitches: np.ndarray, real: np.ndarray, real_pitches: np.ndarray
) -> np.ndarray:
    """Log-spectral distance in dB of `mel_levels` to the nearest real ones of a pitch, or NaN."""
    distances = np.full(len(levels), np.nan)
    for number, (level, pitch) in enumerate(zip(levels, pitches, strict=True)):
        if len(same := real[real_pitches == pitch]):
            distances[number] = log_spectral_distance(same, level).min()
    return distances


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Root mean square difference of n and m notes' levels in dB, of every pair [shape=(n, m)]."""
    size = first[0].size if len(first) else 1
    return cdist(first.reshape(len(first), -1), second.reshape(len(second), -1)) / np.sqrt(size)


def _power(waves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies from 20 Hz on, and the summed power spectrum of waves there."""
    power = np.square(np.abs(np.fft.rfft(np.atleast_2d(waves)))).sum(axis=0)
    frequencies = np.fft.rfftfreq(np.shape(waves)[-1], 1 / SAMPLE_RATE)
    return frequencies[frequencies >= LOWEST_AUDIBLE], power[frequencies >= LOWEST_AUDIBLE]
