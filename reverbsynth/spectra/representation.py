"""Notes as images and back: IF-Mel, linear IF, and phase.

An image has two channels: log-magnitude, and either instantaneous frequency or (``phase``) the
phase itself over pi. Frames run along the first axis, bins from low to high along the second.
Engel et al., "GANSynth" (2019), compares the three; the paper uses IF-Mel (Table 5).
"""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Literal

import keras
import numpy as np
from keras import ops

from reverbsynth.settings import SpectraSettings
from reverbsynth.spectra import mel
from reverbsynth.spectra.format import BINS, FLOOR, TINY
from reverbsynth.spectra.harmonics import frequency_of, harmonic_spectrum
from reverbsynth.spectra.phase import (
    instantaneous_frequency,
    integrate,
    with_wrapped_steps,
    wrapped,
)
from reverbsynth.spectra.scaling import upscale, upscale_in_lines
from reverbsynth.spectra.stft import istft, stft

# Our arrays are of this kind and order, whatever a user's keras.json says.
keras.config.set_floatx("float32")
keras.config.set_image_data_format("channels_last")


def to_specgram(real, imaginary, phase, phase_only: bool = False):
    """Log-magnitude and instantaneous frequency of an STFT [shape=(n, 128, 1024, 2)].

    ``phase`` is the angle of the other two [shape=(n, 128, 1024)], in radians; with ``phase_only``
    it is kept, over pi, instead of its frequency.
    """
    magnitude = ops.log(ops.sqrt(real**2 + imaginary**2) + FLOOR)
    second = phase / math.pi if phase_only else instantaneous_frequency(phase)
    return ops.stack([magnitude, second], axis=-1)


def to_mel(specgram):
    """Linear-frequency image to mel [shape=(n, 128, 1024, 2)]: power and phase are projected.

    The steps of the projected phase are the projected steps, so nothing need be added up.
    """
    project = mel.to_mel_bins()
    magnitude = ops.log(project(ops.exp(2 * specgram[..., 0])) + FLOOR)
    steps = project(specgram[..., 1] * math.pi)
    return ops.stack([magnitude, with_wrapped_steps(steps[:, :1], steps[:, 1:])], axis=-1)


class Representation:
    """How notes become images and back: a chain of the transforms above, and a normalization.

    Images are *de-normalized*: natural log units and half turns. `normalize` maps them to the
    networks' range. Those of a stage are smaller; decoding begins with their full size.
    """

    def __init__(self, settings: SpectraSettings):
        self.kind: Literal["mel", "linear", "phase"] = settings.representation
        self._non_negative = settings.mel_inverse == "nnls"
        self._projections = settings.projections
        self._upscale = upscale_in_lines if settings.upscaling == "linear" else upscale
        self.scale = np.asarray(settings.scale, np.float32)
        self.shift = np.asarray(settings.shift, np.float32)
        # The level of silence, normalized: no recording's is lower.
        self.silence = math.log(FLOOR) * settings.scale[0] + settings.shift[0]

    def encode(self, waves, image: Callable | None = None):
        """Notes [shape=(n, 64000)] as images [shape=(n, 128, 1024, 2)]."""
        # The arctangent that XLA compiles for CPUs costs more than all that follows it.
        real, imaginary = stft(waves)
        return (image or self._image)(real, imaginary, ops.arctan2(imaginary, real))

    def encoder(self) -> Callable:
        """`encode`, compiled: three times as quick, for many batches of one size."""
        return partial(self.encode, image=compile_function(self._image, xla=True))

    def _image(self, real, imaginary, phase):
        specgram = to_specgram(real, imaginary, phase, phase_only=self.kind == "phase")
        return to_mel(specgram) if self.kind == "mel" else specgram

    def harmonic_image(self, pitch):
        """A steady frame of the image of an ideal harmonic tone, normalized.

        What `encode` makes of such a tone while it lasts, by formula
        (`reverbsynth.spectra.harmonics`), so that a MIDI pitch [shape=(n,)] may lie between two
        keys. Log-magnitude and instantaneous frequency [shape=(n, 1024, 2)]; for ``phase`` too,
        whose phase never stands still.
        """
        power, step = harmonic_spectrum(frequency_of(pitch))
        if self.kind == "mel":
            projected = mel.to_mel_bins()(ops.stack([power, step], axis=1))
            level, step = ops.log(projected[:, 0] + FLOOR), wrapped(projected[:, 1])
        else:
            level = ops.log(ops.sqrt(power) + FLOOR)
        return self.normalize(ops.stack([level, step / math.pi], axis=-1))

    def to_stft(self, images, original: bool = False):
        """Images of any stage as the STFT they state, by the original's inverse where asked.

        Real and imaginary part [shape=(n, 128, 1024)].
        """
        images = (upscale if original else self._upscale)(images, BINS // images.shape[2])
        magnitude, second = ops.exp(images[..., 0]), images[..., 1]
        phase = second if self.kind == "phase" else integrate(second)
        if self.kind == "mel":
            least_squares = self._non_negative and not original
            magnitude = (_least_squares() if least_squares else mel.linear_magnitude)(magnitude)
            phase = mel.to_linear_bins()(phase)
        # Whole turns are taken off in half turns, where they are exact.
        radians = math.pi * (phase - 2.0 * ops.round(0.5 * phase))
        return magnitude * ops.cos(radians), magnitude * ops.sin(radians)

    def decode(self, images):
        """Images of any stage [shape=(n, frames, bins, 2)] as notes [shape=(n, 64000)].

        Each projection keeps the magnitudes that the image states and takes the phases of the sound
        so far. Griffin and Lim, "Signal estimation from modified short-time Fourier transform"
        (1984).
        """
        stated = real, imaginary = self.to_stft(images)
        for _ in range(self._projections):
            real, imaginary = stft(istft(real, imaginary))
            factor = ops.sqrt(_power(*stated) / (_power(real, imaginary) + TINY))
            real, imaginary = real * factor, imaginary * factor
        return istft(real, imaginary)

    def magnitudes(self, images):
        """Magnitudes [shape=(n, 128, 1024)] that an image states, and those of its note.

        By the original's inverse. They are equal where the image is the STFT of some sound.
        """
        stated = self.to_stft(images, original=True)
        decoded = stft(istft(*stated))
        return ops.sqrt(_power(*stated) + TINY), ops.sqrt(_power(*decoded) + TINY)

    def normalize(self, images):
        """De-normalized images to the networks' range: ``x a + b``, clipped to [-1, 1]."""
        return ops.clip(images * self.scale + self.shift, -1.0, 1.0)

    def denormalize(self, images):
        """The networks' range to de-normalized images: ``(x - b) / a``."""
        return (images - self.shift) / self.scale

    def encode_all(self, waves: np.ndarray, batch: int = 16) -> np.ndarray:
        """`encode` for any number of notes in bounded memory, as NumPy."""
        return _batched(self.encode, waves, batch)

    def decode_all(self, images: np.ndarray, batch: int = 16) -> np.ndarray:
        """`decode` for any number of images in bounded memory, as NumPy."""
        return _batched(self.decode, images, batch)


def compile_function(function: Callable, xla: bool = False, of_any_size: bool = False) -> Callable:
    """The function as one program. XLA takes minutes over gradients on TensorFlow; JAX needs it.

    TensorFlow traces one ``of_any_size`` at most twice; a convolution's must be known.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=xla, autograph=False, reduce_retracing=of_any_size)


@cache
def _least_squares() -> Callable:
    """`mel.linear_magnitude` by least squares, compiled: a tenth of the time."""
    return compile_function(partial(mel.linear_magnitude, non_negative=True), of_any_size=True)


def _power(real, imaginary):
    return real**2 + imaginary**2


def _batched(function, values: np.ndarray, batch: int) -> np.ndarray:
    parts = [
        ops.convert_to_numpy(function(ops.convert_to_tensor(values[i : i + batch], "float32")))
        for i in range(0, len(values), batch)
    ]
    return np.concatenate(parts) if parts else np.asarray(function(values))
