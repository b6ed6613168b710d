"""What an effect changes: learned from notes without it and with it, given to another sound.

In a few bands, the power of a note with the effect is modelled as a weighted sum of its power
without it, at the same moment and up to a second before. A weight of the moment below 1 takes away;
weights of earlier moments add what an effect holds back, such as a tail. Powers of reverberant
sound add up so where phases are random (Lebart, Boucher and Denbigh, "A new method based on
spectral subtraction for speech dereverberation", 2001). The weights are non-negative least squares
of the error relative to the greater power, before or after: a quiet moment counts as much as a loud
one, and one that the effect silences no more.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear
from scipy.signal import istft, stft

from reverbsynth.audio.format import SAMPLE_RATE

BANDS = 2  # Few, so that what a network gets wrong in one place averages out.
LAGS = 16  # Moments that count, of `HOP` samples: about a second.
WINDOW, HOP = 2048, 1024
FLOOR = 1e-7  # Power below a note's highest, of a band at a moment, that counts as silence.
_SILENCE = 1e-12


@dataclass(frozen=True)
class EffectChange:
    """Weights of powers [shape=(BANDS, LAGS)], of the moment itself first."""

    weights: np.ndarray

    @classmethod
    def between(cls, before: np.ndarray, after: np.ndarray) -> "EffectChange":
        """Learn the change from notes before and after it, each [shape=(n, samples)]."""
        lagged, reached = [], []
        for pair in zip(before, after, strict=True):
            powers = np.stack([_bands().T @ np.abs(_transformed(wave)) ** 2 for wave in pair])
            powers = powers / max(powers.max(), _SILENCE)
            lagged.append(_lagged(powers[0]))
            reached.append(powers[1])
        x, y = np.concatenate(lagged, axis=2), np.concatenate(reached, axis=1)
        greater = np.maximum(x[:, 0], y) + FLOOR
        pairs = zip((x / greater[:, None]).transpose(0, 2, 1), y / greater, strict=True)
        weights = [lsq_linear(*pair, bounds=(0, np.inf), method="bvls").x for pair in pairs]
        # Rounding may leave one below its bound.
        return cls(np.maximum(weights, 0))

    def apply(self, recording: np.ndarray, played: np.ndarray) -> np.ndarray:
        """Give a recording the change, float32 [shape=(samples,)].

        It keeps its phases where most of the power is its own. What is added has those of
        ``played``, a note of the same pitch with the effect.
        """
        own, other = _transformed(recording), _transformed(played)
        weights = _bands() @ self.weights
        powers = _lagged(np.abs(own) ** 2) * weights[:, :, None]
        now, held = powers[:, 0], powers[:, 1:].sum(axis=1)
        carrier = np.where(now >= held, own, other)
        changed = carrier / np.maximum(np.abs(carrier), _SILENCE) * np.sqrt(now + held)
        wave = istft(changed, SAMPLE_RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)[1]
        return wave[: len(recording)].astype(np.float32)


def _transformed(wave: np.ndarray) -> np.ndarray:
    """Short-time Fourier transform [shape=(bins, frames)]."""
    return stft(wave, SAMPLE_RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)[2]


def _bands() -> np.ndarray:
    """Shares of each bin in the bands [shape=(bins, BANDS)]: triangles on the mel scale."""
    mel = np.log1p(np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE) / 700)
    centers = np.linspace(0, mel[-1], BANDS + 2)[1:-1]
    return np.stack([np.interp(mel, centers, band) for band in np.eye(BANDS)], axis=1)


def _lagged(powers: np.ndarray) -> np.ndarray:
    """Powers [shape=(bins, frames)] at each moment and before [shape=(bins, LAGS, frames)]."""
    frames = powers.shape[1]
    padded = np.pad(powers, ((0, 0), (LAGS - 1, 0)))
    return np.stack([padded[:, LAGS - 1 - k :][:, :frames] for k in range(LAGS)], axis=1)
