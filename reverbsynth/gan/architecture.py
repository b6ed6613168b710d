"""Shapes of the generator's weights, by arithmetic alone: playing needs no Keras."""

from reverbsynth.gan.schedule import blocks, resolution
from reverbsynth.settings import GanSettings

CHANNELS = 2
"""Of an image: log-magnitude and instantaneous frequency."""

LEAK = 0.2
"""Slope of the leaky ReLU below zero."""

START = resolution(1)
"""Frames and bins of the first block: 2 x 16."""


def filters(settings: GanSettings, block: int) -> int:
    """Channels of a block: ``min(base / 2^block, max)`` (Table 5).

    Block 0 is the discriminator's last.
    """
    return max(1, min(settings.filters_base // 2**block, settings.filters_max))


def generator_shapes(
    settings: GanSettings, condition_size: int, stage: int
) -> dict[str, tuple[int, ...]]:
    """Shapes of the generator's variables by name, in the network's own order (Table 3).

    Parameters
    ----------
    settings : GanSettings
    condition_size : int
        Width of all labels' one-hot blocks together.
    stage : int

    Returns
    -------
    dict
        Names such as ``block_3/conv0/kernel``; kernels are (height, width, in, out).
    """
    kernels: dict[str, tuple[int, ...]] = {}
    width, side = settings.latent_size + condition_size, settings.kernel_size
    for block in range(1, blocks(stage) + 1):
        channels = filters(settings, block)
        first = START if block == 1 else (side, side)
        kernels[f"block_{block}/conv0"] = (*first, width, channels)
        kernels[f"block_{block}/conv1"] = (side, side, channels, channels)
        width = channels
    for block in range(1, blocks(stage) + 1):
        kernels[f"block_{block}/to_rgb"] = (1, 1, filters(settings, block), CHANNELS)
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in kernels.items():
        shapes[f"{name}/kernel"] = shape
        shapes[f"{name}/bias"] = shape[-1:]
    return shapes
