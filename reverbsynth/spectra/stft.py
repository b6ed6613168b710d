"""Short-time Fourier transform of a note and its inverse, in the framing of `spectra.format`.

Complex numbers are pairs ``(real, imaginary)``, as in `keras.ops`.
"""

from keras import ops

from reverbsynth.spectra.format import FRAMES, HOP, LEAD, N_FFT, dual_window, window


def stft(waves):
    """Notes [shape=(n, 64000)] as real and imaginary parts of 1024 bins [shape=(n, 128, 1024)]."""
    frames = ops.extract_sequences(ops.pad(waves, ((0, 0), (LEAD, 0))), N_FFT, HOP)
    real, imaginary = ops.rfft(frames * ops.convert_to_tensor(window(), frames.dtype))
    return real[..., 1:], imaginary[..., 1:]


def istft(real, imaginary):
    """Invert `stft` by overlap-add with the dual window.

    Written out because `keras.ops.istft` loses the first and last window on TensorFlow.
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
