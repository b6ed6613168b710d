"""The original's way of computing both networks: always at 128 x 1024, every block summed.

Written apart from the package, from the published architecture, so that the package's shortcuts
(native resolution, the first convolution as a dense product, only the blocks that count) have
something to be equal to.
"""

import numpy as np
from keras import ops


def leaky(x):
    return ops.maximum(x, 0.2 * x)


def norm(x):
    return x / ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True) + 1e-8)


def conv(w, name, x, padding="same", gain=2.0):
    kernel = w[f"{name}/kernel"]
    scale = np.sqrt(gain / np.prod(kernel.shape[:-1]))
    y = ops.conv(x, ops.convert_to_tensor(kernel), padding=padding, data_format="channels_last")
    return y * scale + w[f"{name}/bias"]


def up(x, factor):
    return ops.repeat(ops.repeat(x, factor, axis=1), factor, axis=2)


def down(x, factor):
    n, h, w, c = x.shape
    return ops.mean(ops.reshape(x, (n, h // factor, factor, w // factor, factor, c)), axis=(2, 4))


def generator(w, n_blocks, z, condition, p):
    """Normalized images at full size [shape=(n, 128, 1024, 2)]."""
    x = norm(ops.concatenate([z, condition], axis=-1))[:, None, None, :]
    x = ops.pad(x, ((0, 0), (1, 1), (15, 15), (0, 0)))
    total = 0.0
    for k in range(1, n_blocks + 1):
        x = up(x, 2) if k > 1 else x
        x = norm(leaky(conv(w, f"block_{k}/conv0", x, "same" if k > 1 else "valid")))
        x = norm(leaky(conv(w, f"block_{k}/conv1", x)))
        alpha = max(0.0, min(p - (k - 2), k - p))
        rgb = ops.tanh(conv(w, f"block_{k}/to_rgb", x, gain=1.0))
        total = total + alpha * up(rgb, 128 // rgb.shape[1])
    return total


def discriminator(w, n_blocks, images, p, scale, shift):
    """Scores [shape=(n,)] and pitch logits of de-normalized images at full size."""
    images = ops.clip(images * np.float32(scale) + np.float32(shift), -1, 1)

    def from_rgb(k):
        return leaky(conv(w, f"block_{k}/from_rgb", down(images, 2 ** (7 - k))))

    x = from_rgb(n_blocks)
    for k in range(n_blocks, 1, -1):
        x = leaky(conv(w, f"block_{k}/conv0", x))
        x = down(leaky(conv(w, f"block_{k}/conv1", x)), 2)
        alpha = float(np.clip(k - 1 - p, 0, 1))
        x = alpha * from_rgb(k - 1) + (1 - alpha) * x
    deviation = ops.mean(ops.sqrt(ops.var(x, axis=0) + 1e-6))
    x = ops.concatenate([x, ops.ones_like(x[..., :1]) * deviation], axis=-1)
    x = leaky(conv(w, "block_1/conv0", x))
    x = leaky(conv(w, "block_1/conv1", x, "valid"))[:, 0, 0]

    def head(name):
        kernel = w[f"{name}/kernel"]
        return ops.matmul(x, kernel) / np.float32(np.sqrt(kernel.shape[0])) + w[f"{name}/bias"]

    return head("score")[:, 0], head("pitch_logits")
