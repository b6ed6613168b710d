"""Short-time Fourier transform of a note and its inverse.

GANSynth's framing: a periodic Hann window of 2048 samples every 512, no centring. 3072 zeros
stand before the note and none after, which makes exactly 128 frames; DC is dropped, which leaves
1024 bins. Engel et al., "GANSynth" (2019), appendix.

Complex numbers are pairs ``(real, imaginary)``, as in `keras.ops`.
"""

from functools import cache

import numpy as np
from keras import ops

from reverbsynth.audio.format import NOTE_LENGTH

N_FFT = 2048
HOP = 512
FRAMES = 128
BINS = 1024

LEAD = (FRAMES - 1) * HOP + N_FFT - NOTE_LENGTH
"""Zeros before the note: 3072."""


@cache
def window() -> np.ndarray:
    """Periodic Hann window, float64 [shape=(2048,)]."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)


@cache
def dual_window() -> np.ndarray:
    """Window of the inverse, float64 [shape=(2048,)]: the window over its shifts' summed squares.

    Griffin and Lim, "Signal estimation from modified short-time Fourier transform" (1984), eq. 6.
    """
    squares = (window() ** 2).reshape(-1, HOP).sum(axis=0)
    return window() / np.tile(squares, N_FFT // HOP)


def stft(waves):
    """Transform notes.

    Parameters
    ----------
    waves : tensor [shape=(n, 64000)]
        Notes at 16 kHz.

    Returns
    -------
    tuple of tensors [shape=(n, 128, 1024)]
        Real and imaginary part of bins 1 to 1024.
    """
    padded = ops.pad(waves, ((0, 0), (LEAD, 0)))
    frames = ops.extract_sequences(padded, N_FFT, HOP)
    real, imaginary = ops.rfft(frames * ops.convert_to_tensor(window(), frames.dtype))
    return real[..., 1:], imaginary[..., 1:]


def istft(real, imaginary):
    """Invert `stft` by overlap-add with the dual window.

    Written out because `keras.ops.istft` loses the first and last window on TensorFlow.

    Parameters
    ----------
    real, imaginary : tensor [shape=(n, 128, 1024)]

    Returns
    -------
    tensor [shape=(n, 64000)]
    """
    dc = ((0, 0), (0, 0), (1, 0))
    frames = ops.irfft((ops.pad(real, dc), ops.pad(imaginary, dc)), fft_length=N_FFT)
    frames = frames * ops.convert_to_tensor(dual_window(), frames.dtype)
    overlaps = N_FFT // HOP
    parts = ops.reshape(frames, (-1, FRAMES, overlaps, HOP))
    # Quarter q of frame t lands in hop t + q.
    hops = sum(
        ops.pad(parts[:, :, q], ((0, 0), (q, overlaps - 1 - q), (0, 0))) for q in range(overlaps)
    )
    return ops.reshape(hops, (-1, (FRAMES + overlaps - 1) * HOP))[:, LEAD:]
