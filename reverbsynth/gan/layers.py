"""Layers and functions of both networks: equalized weights and norms."""

import math
import zlib
from functools import partial

import keras
import numpy as np
from keras import ops

from reverbsynth.gan.architecture import LEAK, SHARE, SHARPNESS
from reverbsynth.gan.backend import backend
from reverbsynth.spectra.scaling import upscale


def leaky(x):
    """Leaky ReLU of slope `LEAK`."""
    return ops.leaky_relu(x, negative_slope=LEAK)


def pixel_norm(x):
    """``x / sqrt(mean(x²) + 1e-8)`` over channels; the mean in float32.

    Karras et al., "Progressive Growing of GANs" (2018), section 4.2.
    """
    wide = ops.cast(x, "float32")
    scale = ops.rsqrt(ops.mean(ops.square(wide), axis=-1, keepdims=True) + 1e-8)
    return ops.cast(wide * scale, x.dtype)


def timbre_shares(z, timbres: int):
    """Latent vectors whose first numbers have become shares of so many timbres: their softmax."""
    if not timbres:
        return z
    shares = SHARE * ops.softmax(SHARPNESS * z[:, :timbres])
    return ops.concatenate([shares, z[:, timbres:]], axis=-1)


def minibatch_deviation(x):
    """Append one channel that holds the batch's mean standard deviation everywhere.

    Karras et al., "Progressive Growing of GANs" (2018), section 3, over the whole batch: on several
    devices over what all of them hold together.
    """
    wide = ops.cast(x, "float32")
    # As in tf.nn.moments the mean is a constant to the gradient. The first derivative is the same,
    # but not the second, which the gradient penalty takes.
    centre = backend.mean_over_devices(ops.stop_gradient(ops.mean(wide, axis=0, keepdims=True)))
    variance = backend.mean_over_devices(ops.mean(ops.square(wide - centre), axis=0))
    deviation = ops.mean(ops.sqrt(variance + 1e-6))
    channel = ops.cast(ops.ones_like(wide[..., :1]) * deviation, x.dtype)
    return ops.concatenate([x, channel], axis=-1)


class Equalized(keras.layers.Layer):
    """A kernel drawn from N(0, 1) and scaled by ``sqrt(gain / fan_in)`` at run time, and a bias.

    Karras et al., "Progressive Growing of GANs" (2018), section 4.1. The draw depends on the seed
    and the layer's name alone, its path such as ``block_3/conv0``, so it is the same on every
    backend. The kernel's last dimension is the output's, the others make the fan-in; the gain is 2
    before a leaky ReLU, 1 before anything else.
    """

    def __init__(
        self,
        kernel_shape: tuple[int, ...],
        name: str,
        gain: float = 2.0,
        seed: int = 0,
        precision: str = "float32",
    ):
        dtype = "mixed_bfloat16" if precision == "bfloat16" else precision
        super().__init__(name=name.replace("/", "_"), dtype=dtype)
        self.path_name = name
        self.scale = math.sqrt(gain / math.prod(kernel_shape[:-1]))
        draw = np.random.default_rng([seed, zlib.crc32(name.encode())])
        kernel = draw.standard_normal(kernel_shape, np.float32)
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel_shape,
            initializer=lambda shape, dtype: ops.cast(kernel, dtype),
        )
        self.bias = self.add_weight(name="bias", shape=kernel_shape[-1:], initializer="zeros")
        self.built = True

    def call(self, x):
        y = self.linear(x)
        return y + ops.cast(self.bias, y.dtype)

    def linear(self, x):
        """The layer without its bias."""
        raise NotImplementedError

    @property
    def scaled_kernel(self):
        kernel = ops.convert_to_tensor(self.kernel, "float32")
        return ops.cast(kernel * self.scale, self.compute_dtype)


class Conv(Equalized):
    """Equalized convolution of images, zero-padded to keep their size."""

    padding = "same"

    def linear(self, x):
        return ops.conv(x, self.scaled_kernel, padding=self.padding, data_format="channels_last")

    def beside(self, x, coordinates):
        """The layer of images with coordinates [shape=(n, bins, k)] beside their own channels.

        Those are the same in all frames, so that a few frames show what they add to any.
        """
        if coordinates is None:
            return self(x)
        kernel, own, side = self.scaled_kernel, x.shape[-1], self.kernel.shape[0]
        few = ops.repeat(ops.cast(coordinates, kernel.dtype)[:, None], side, axis=1)
        convolved = partial(ops.conv, padding=self.padding, data_format="channels_last")
        few = convolved(few, kernel[:, :, own:]) + ops.cast(self.bias, kernel.dtype)
        above, frame, below = ops.split(few, [side // 2, side // 2 + 1], axis=1)
        frames = ops.repeat(frame, x.shape[1] - side + 1, axis=1)
        added = ops.concatenate([above, frames, below], axis=1) if side > 1 else frame
        return convolved(ops.cast(x, kernel.dtype), kernel[:, :, :own]) + added


class ValidConv(Conv):
    """Equalized convolution without padding."""

    padding = "valid"


class UpscaleConv(Conv):
    """Nearest-neighbour upscaling by 2, then an equalized 3x3 convolution.

    On TensorFlow the two are one transposed convolution of stride 2, whose 4x4 kernel is the sum of
    the 3x3 kernel's four shifts: the same numbers, borders included, from 4 products an output
    pixel in place of 9, and faster at every block (``benchmarks/upscale_convolution.py``). On JAX
    its gradient by the kernel takes several times as long on a CPU, so there the two stay apart.
    """

    def linear(self, x):
        if keras.backend.backend() == "jax" or self.kernel.shape[0] != 3:
            return super().linear(upscale(x))
        kernel = self.scaled_kernel
        shifted = sum(
            ops.pad(kernel, ((i, 1 - i), (j, 1 - j), (0, 0), (0, 0))) for i, j in np.ndindex(2, 2)
        )
        mirrored = ops.transpose(ops.flip(shifted, axis=(0, 1)), (0, 1, 3, 2))
        return ops.conv_transpose(x, mirrored, 2, padding="same", data_format="channels_last")


class Dense(Equalized):
    """Equalized dense layer."""

    def linear(self, x):
        return ops.matmul(x, self.scaled_kernel)


class FirstConv(Equalized):
    """The generator's first convolution, from one pixel to the start resolution.

    The original zero-pads the single pixel by (h - 1, w - 1) on each side and convolves with an
    h x w kernel. All taps but one multiply zeros, so each output pixel is a dense product with one
    tap of the kernel, mirrored. The kernel is stored as the convolution's.
    """

    def linear(self, x):
        height, width, channels_in, channels = self.kernel.shape
        mirrored = ops.flip(self.scaled_kernel, axis=(0, 1))
        dense = ops.reshape(ops.transpose(mirrored, (2, 0, 1, 3)), (channels_in, -1))
        return ops.reshape(ops.matmul(x, dense), (-1, height, width, channels))
