"""Generator and discriminator (Tables 3 and 4), each at a stage's own resolution.

The original computes every stage at 128 x 1024 and box-scales down to the block that trains;
here the image simply has that block's size, with the same numbers.
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from reverbsynth.gan import schedule
from reverbsynth.gan.architecture import (
    CHANNELS,
    FIRST_REFINING,
    START,
    coordinates_of,
    filters,
    generator_kernels,
    register,
)
from reverbsynth.gan.layers import (
    Conv,
    Dense,
    FirstConv,
    UpscaleConv,
    ValidConv,
    leaky,
    minibatch_deviation,
    pixel_norm,
    timbre_shares,
)
from reverbsynth.gan.pitch_coordinates import coordinates_of_blocks, over_tone
from reverbsynth.settings import GanSettings
from reverbsynth.spectra.representation import Representation
from reverbsynth.spectra.scaling import downscale, upscale, upscale_in_lines


class Row(NamedTuple):
    """One line of Table 3 or 4."""

    block: str
    layer: str
    output: tuple[int, ...]
    parameters: int


class Network(keras.Model):
    """What both networks have: layers by name, and the rows of Table 3 or 4, read off them.

    The stage decides the number of blocks and whether the last one fades in. The ``seed`` is that
    of the initial weights, ``precision`` the convolutions'; weights and norms stay float32.
    """

    def __init__(self, name: str, settings: GanSettings, stage: int):
        super().__init__(name=name)
        self.settings = settings
        self.n_blocks = schedule.blocks(stage)
        self.fading = schedule.is_transition(stage)
        self.parts: dict[str, keras.layers.Layer] = {}
        self.table: list[Row] = []

    def named_variables(self) -> dict[str, keras.Variable]:
        """Variables by names such as ``block_3/conv0/kernel``."""
        return {
            f"{name}/{kind}": getattr(layer, kind)
            for name, layer in self.parts.items()
            for kind in ("kernel", "bias")
        }

    def _add(self, block: int | str, name: str, output: tuple[int, ...], layer=None) -> None:
        """Add a row to the table, and the layer that it is of, whose channels end the output."""
        count = 0
        if layer is not None:
            self.parts[layer.path_name] = layer
            output, count = (*output, layer.kernel.shape[-1]), int(layer.count_params())
        self.table.append(Row(str(block), name, output, count))


class Generator(Network):
    """Latent vector and labels to a normalized image (Table 3).

    The representation of the images is needed where ``settings.pitch_input`` is ``harmonic``.
    """

    def __init__(
        self,
        settings: GanSettings,
        condition_size: int,
        stage: int,
        seed: int = 0,
        precision: str = "float32",
        name: str = "generator",
        representation: Representation | None = None,
    ):
        super().__init__(name, settings, stage)
        # Set where the pitch is told as a number.
        self.harmonics = representation if settings.pitch_input == "harmonic" else None
        self._add("latent", "z and labels", (1, 1, settings.latent_size + condition_size))
        for name, kernel in generator_kernels(settings, condition_size, stage).items():
            block, part = int(name[len("block_")]), name.split("/")[1]
            size = schedule.resolution(block)
            kinds = {"conv0": UpscaleConv if block > 1 else FirstConv, "skip": Dense}
            if part == "conv0" and block > 1:
                self._add(block, "upscale", (*size, kernel[2]))
            gain = 1.0 if part == "to_rgb" else 2.0
            layer = kinds.get(part, Conv)(kernel, name, gain, seed, precision)
            if part == "to_rgb" and coordinates_of(settings, block):
                # The ideal tone's instantaneous frequency, or what is refined, to begin with.
                kept = [0.0, 0.0, 0.0] if block >= FIRST_REFINING else [1.0, 0.0, 1.0]
                layer.kernel.assign(layer.kernel * np.array(kept, np.float32))
            elif part == "skip":  # A new block begins as it would without.
                layer.kernel.assign(0.0 * layer.kernel)
            self._add(block, part, () if part == "skip" else size, layer)
        self.built = True

    def call(self, z, condition, progress):
        """Generate normalized images, float32 [shape=(n, frames, bins, 2)].

        From latent vectors [shape=(n, latent_size)], the ``condition`` [shape=(n, condition_size)],
        and while a block fades in the progress, a scalar.
        """
        coordinates = {}
        if self.harmonics is None:
            condition = self.settings.label_scale * condition
        else:
            pitch, shares = condition[:, 0], self.settings.label_scale * condition[:, 1:]
            coordinates = coordinates_of_blocks(pitch, self.harmonics, self.n_blocks)
            condition = ops.concatenate([register(pitch)[:, None], shares], axis=-1)

        def said(block: int):
            to_rgb = self.parts[f"block_{block}/to_rgb"]
            x = ops.cast(to_rgb.beside(activations[block], coordinates.get(block)), "float32")
            refines = block in coordinates and block >= FIRST_REFINING
            return upscale_in_lines(said(block - 1)) + x if refines else x

        def image(block: int):
            x = said(block)
            if self.harmonics is not None and block in coordinates:
                return over_tone(x, coordinates[block], self.harmonics)
            return ops.tanh(x)

        activations = {}
        z = timbre_shares(z, self.settings.timbres)
        x = told = pixel_norm(ops.concatenate([z, condition], axis=-1))
        for block in range(1, self.n_blocks + 1):
            skip = self.parts.get(f"block_{block}/skip")
            added = ops.split(skip(told)[:, None, None], 2, axis=-1) if skip else []
            x = self.parts[f"block_{block}/conv0"](x)
            x = pixel_norm(leaky(x + added[0] if added else x))
            x = self.parts[f"block_{block}/conv1"].beside(x, coordinates.get(block))
            x = activations[block] = pixel_norm(leaky(x + added[1] if added else x))
        if not self.fading:
            return image(self.n_blocks)
        alpha = progress - (self.n_blocks - 2)
        return alpha * image(self.n_blocks) + (1.0 - alpha) * upscale(image(self.n_blocks - 1))


class Discriminator(Network):
    """Image to a score and logits of each label (Table 4), each of which has a head of its own.

    The representation's normalization, with the clip, is the first layer.
    """

    def __init__(
        self,
        settings: GanSettings,
        label_sizes: dict[str, int],
        representation: Representation,
        stage: int,
        seed: int = 0,
        precision: str = "float32",
    ):
        super().__init__("discriminator", settings, stage)
        self.labels = tuple(label_sizes)
        self._normalize = representation.normalize
        side, blocks = settings.kernel_size, range(self.n_blocks, 0, -1)

        def add(name: str, kernel: tuple[int, ...], size: tuple[int, int], kind=Conv) -> None:
            layer = kind(kernel, name, seed=seed, precision=precision)
            self._add(name[len("block_")], name.split("/")[1], size, layer)

        self._add("image", "normalized", (*schedule.resolution(self.n_blocks), CHANNELS))
        for block in blocks:
            kernel = (1, 1, CHANNELS, filters(settings, block))
            add(f"block_{block}/from_rgb", kernel, schedule.resolution(block))
        for block in blocks[:-1]:
            channels, below = filters(settings, block), filters(settings, block - 1)
            size = schedule.resolution(block)
            add(f"block_{block}/conv0", (side, side, channels, channels), size)
            add(f"block_{block}/conv1", (side, side, channels, below), size)
            self._add(block, "downscale", (*schedule.resolution(block - 1), below))
        channels, last = filters(settings, 1), filters(settings, 0)
        self._add(1, "minibatch deviation", (*START, channels + 1))
        add("block_1/conv0", (side, side, channels + 1, channels), START)
        add("block_1/conv1", (*START, channels, last), (1, 1), ValidConv)
        heads = {"score": 1, **{f"{name}_logits": size for name, size in label_sizes.items()}}
        for name, classes in heads.items():
            self._add("heads", name, (), Dense((last, classes), name, gain=1.0, seed=seed))
        self.built = True

    def call(self, images, progress):
        """Judge de-normalized images [shape=(n, frames, bins, 2)].

        Their score [shape=(n,)], and by label logits [shape=(n, classes)], float32.
        """
        images = self._normalize(images)
        x = leaky(self.parts[f"block_{self.n_blocks}/from_rgb"](images))
        for block in range(self.n_blocks, 1, -1):
            x = leaky(self.parts[f"block_{block}/conv0"](x))
            x = downscale(leaky(self.parts[f"block_{block}/conv1"](x)))
            if block == self.n_blocks and self.fading:
                alpha = ops.cast(ops.clip(block - 1 - progress, 0.0, 1.0), x.dtype)
                coarse = leaky(self.parts[f"block_{block - 1}/from_rgb"](downscale(images)))
                x = alpha * coarse + (1.0 - alpha) * x
        x = leaky(self.parts["block_1/conv0"](minibatch_deviation(x)))
        x = leaky(self.parts["block_1/conv1"](x))
        x = ops.cast(ops.reshape(x, (-1, x.shape[-1])), "float32")
        logits = {label: self.parts[f"{label}_logits"](x) for label in self.labels}
        return self.parts["score"](x)[:, 0], logits


def carry_over(source: Network, target: Network) -> None:
    """Copy the variables that both networks have; the target's others stay as they are."""
    values = source.named_variables()
    for name, variable in target.named_variables().items():
        if name in values:
            variable.assign(values[name])
