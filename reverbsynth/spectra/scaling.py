"""Images at other resolutions: of a stage, [shape=(n, frames, bins, channels)]."""

from keras import ops


def upscale(x, factor: int = 2):
    """Nearest-neighbour upscaling."""
    if factor == 1:
        return x
    height, width, channels = x.shape[1:]
    x = ops.reshape(x, (-1, height, 1, width, 1, channels))
    x = ops.broadcast_to(x, (ops.shape(x)[0], height, factor, width, factor, channels))
    return ops.reshape(x, (-1, height * factor, width * factor, channels))


def upscale_in_lines(x, factor: int = 2):
    """Upscaling by straight lines from frame to frame; bins, as `upscale` has them, are repeated.

    A frame's value stands in the middle of the frames that it becomes; what lies before the first
    middle and after the last one is held.
    """
    if factor == 1:
        return x
    frames, bins, channels = x.shape[1:]
    before = ops.concatenate([x[:, :1], x[:, :-1]], axis=1)
    after = ops.concatenate([x[:, 1:], x[:, -1:]], axis=1)
    places = [(i + 0.5) / factor - 0.5 for i in range(factor)]
    parts = [x + abs(at) * ((before if at < 0 else after) - x) for at in places]
    x = ops.reshape(ops.stack(parts, axis=2), (-1, frames * factor, bins, 1, channels))
    x = ops.broadcast_to(x, (ops.shape(x)[0], frames * factor, bins, factor, channels))
    return ops.reshape(x, (-1, frames * factor, bins * factor, channels))


def downscale(x, factor: int = 2):
    """Box downscaling: the mean of each ``factor x factor``."""
    if factor == 1:
        return x
    return ops.average_pool(x, factor, strides=factor, padding="valid")
