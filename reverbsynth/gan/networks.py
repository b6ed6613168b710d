"""Generator and discriminator (Tables 3 and 4), each at a stage's own resolution.

The original computes every stage at 128 x 1024 and box-scales down to the block that trains;
here the image simply has that block's size, with the same numbers.
"""

from dataclasses import dataclass

import keras
from keras import ops

from reverbsynth.gan import schedule
from reverbsynth.gan.architecture import (
    CHANNELS,
    FIRST_COORDINATED,
    START,
    coordinates_of,
    filters,
    register,
)
from reverbsynth.gan.layers import (
    Conv,
    Dense,
    FirstConv,
    UpscaleConv,
    ValidConv,
    downscale,
    leaky,
    minibatch_deviation,
    pixel_norm,
    upscale,
)
from reverbsynth.gan.pitch_coordinates import beside, pitch_coordinates
from reverbsynth.settings import GanSettings
from reverbsynth.spectra.representation import Representation


@dataclass(frozen=True)
class Row:
    """One line of Table 3 or 4."""

    block: str
    layer: str
    output: tuple[int, ...]
    parameters: int


class Network(keras.Model):
    """What the two networks share: layers and variables by name, in a fixed order."""

    def __init__(self, name: str, n_blocks: int):
        super().__init__(name=name)
        self.n_blocks = n_blocks
        self.parts: dict[str, keras.layers.Layer] = {}

    def _add(self, layer) -> None:
        self.parts[layer.path_name] = layer

    def named_variables(self) -> dict[str, keras.Variable]:
        """Variables by names such as ``block_3/conv0/kernel``."""
        return {
            f"{name}/{kind}": getattr(layer, kind)
            for name, layer in self.parts.items()
            for kind in ("kernel", "bias")
        }

    def parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(int(layer.count_params()) for layer in self.parts.values())

    def _row(self, block: str, part: str, output: tuple[int, ...]) -> Row:
        layer = self.parts[part]
        return Row(block, part.split("/")[-1], output, int(layer.count_params()))


class Generator(Network):
    """Latent vector and labels to a normalized image (Table 3).

    Parameters
    ----------
    settings : GanSettings
    condition_size : int
        See `reverbsynth.gan.architecture.condition_size`.
    stage : int
        Decides the number of blocks and whether the last one is blended in.
    seed : int
        Of the initial weights.
    precision : {"float32", "bfloat16"}
        Of the convolutions; weights and norms stay float32.
    representation : Representation, optional
        Of the images; needed where ``settings.pitch_input`` is ``harmonic``.
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
        super().__init__(name, schedule.blocks(stage))
        self.blending = schedule.is_transition(stage)
        self.latent_size = settings.latent_size
        self.condition_size = condition_size
        self.representation = representation
        self.harmonic = settings.pitch_input == "harmonic"
        common = {"seed": seed, "dtype": _policy(precision)}
        size, width = settings.kernel_size, settings.latent_size + condition_size
        for block in range(1, self.n_blocks + 1):
            channels = filters(settings, block)
            if block == 1:
                self._add(FirstConv(width, channels, START, "block_1/conv0", **common))
            else:
                self._add(UpscaleConv(width, channels, size, f"block_{block}/conv0", **common))
            inputs = channels + coordinates_of(settings, block)
            self._add(Conv(inputs, channels, size, f"block_{block}/conv1", **common))
            width = channels
        for block in range(1, self.n_blocks + 1):
            self._add(
                Conv(
                    filters(settings, block) + coordinates_of(settings, block),
                    CHANNELS,
                    1,
                    f"block_{block}/to_rgb",
                    gain=1.0,
                    **common,
                )
            )
        self.built = True

    def call(self, z, condition, progress):
        """Generate.

        Parameters
        ----------
        z : tensor [shape=(n, latent_size)]
        condition : tensor [shape=(n, condition_size)]
            One-hot blocks of all labels, or first a MIDI pitch and then the others' blocks.
        progress : scalar tensor
            Used while a block is blended in.

        Returns
        -------
        tensor [shape=(n, frames, bins, 2)], normalized, float32
        """
        coordinates = None
        if self.harmonic:
            pitch = condition[:, 0]
            coordinates = pitch_coordinates(pitch, self.representation)
            condition = ops.concatenate([register(pitch)[:, None], condition[:, 1:]], axis=-1)
        x = pixel_norm(ops.concatenate([z, condition], axis=-1))
        for block in range(1, self.n_blocks + 1):
            before = x
            x = pixel_norm(leaky(self.parts[f"block_{block}/conv0"](x)))
            x = self._placed(x, block, coordinates)
            x = pixel_norm(leaky(self.parts[f"block_{block}/conv1"](x)))
        image = self._to_rgb(x, self.n_blocks, coordinates)
        if not self.blending:
            return image
        alpha = progress - (self.n_blocks - 2)
        below = upscale(self._to_rgb(before, self.n_blocks - 1, coordinates))
        return alpha * image + (1.0 - alpha) * below

    def table(self) -> list[Row]:
        """Rows of Table 3, read off the layers."""
        rows = [Row("latent", "z and labels", (1, 1, self.latent_size + self.condition_size), 0)]
        for block in range(1, self.n_blocks + 1):
            size = schedule.resolution(block)
            if block > 1:
                below = filters_of(self.parts[f"block_{block - 1}/conv1"])
                rows.append(Row(f"{block}", "upscale", (*size, below), 0))
            for part in ("conv0", "conv1"):
                name = f"block_{block}/{part}"
                rows.append(self._row(f"{block}", name, (*size, filters_of(self.parts[name]))))
        for block in range(1, self.n_blocks + 1):
            output = (*schedule.resolution(block), CHANNELS)
            rows.append(self._row(f"{block}", f"block_{block}/to_rgb", output))
        return rows

    def _placed(self, x, block: int, coordinates):
        """Activations with the coordinates of their pitch, at the blocks that are given them."""
        if coordinates is None or block < FIRST_COORDINATED:
            return x
        return beside(x, coordinates)

    def _to_rgb(self, x, block: int, coordinates):
        x = self._placed(x, block, coordinates)
        return ops.tanh(ops.cast(self.parts[f"block_{block}/to_rgb"](x), "float32"))


class Discriminator(Network):
    """Image to a score and logits of each label (Table 4): the critic.

    Parameters
    ----------
    settings : GanSettings
    vocabulary_sizes : dict
        Number of classes of each label; each has a head of its own.
    representation : Representation
        Its normalization, with the clip, is the first layer.
    stage, seed, precision
        As for `Generator`.
    """

    def __init__(
        self,
        settings: GanSettings,
        vocabulary_sizes: dict[str, int],
        representation: Representation,
        stage: int,
        seed: int = 0,
        precision: str = "float32",
        name: str = "discriminator",
    ):
        super().__init__(name, schedule.blocks(stage))
        self.blending = schedule.is_transition(stage)
        self.labels = tuple(vocabulary_sizes)
        self._normalize = representation.normalize
        common = {"seed": seed, "dtype": _policy(precision)}
        size = settings.kernel_size
        for block in range(self.n_blocks, 0, -1):
            channels = filters(settings, block)
            self._add(Conv(CHANNELS, channels, 1, f"block_{block}/from_rgb", **common))
        for block in range(self.n_blocks, 1, -1):
            channels, below = filters(settings, block), filters(settings, block - 1)
            self._add(Conv(channels, channels, size, f"block_{block}/conv0", **common))
            self._add(Conv(channels, below, size, f"block_{block}/conv1", **common))
        channels, last = filters(settings, 1), filters(settings, 0)
        self._add(Conv(channels + 1, channels, size, "block_1/conv0", **common))
        self._add(ValidConv(channels, last, START, "block_1/conv1", **common))
        self._add(Dense(last, 1, "score", seed=seed))
        for label, classes in vocabulary_sizes.items():
            self._add(Dense(last, classes, f"{label}_logits", seed=seed))
        self.built = True

    def call(self, images, progress):
        """Judge.

        Parameters
        ----------
        images : tensor [shape=(n, frames, bins, 2)], de-normalized
        progress : scalar tensor

        Returns
        -------
        score : tensor [shape=(n,)], float32
        logits : dict of tensors [shape=(n, classes)], float32
        """
        images = self._normalize(images)
        x = self._from_rgb(images, self.n_blocks)
        for block in range(self.n_blocks, 1, -1):
            x = leaky(self.parts[f"block_{block}/conv0"](x))
            x = downscale(leaky(self.parts[f"block_{block}/conv1"](x)))
            if block == self.n_blocks and self.blending:
                alpha = ops.cast(ops.clip(block - 1 - progress, 0.0, 1.0), x.dtype)
                coarse = self._from_rgb(downscale(images), block - 1)
                x = alpha * coarse + (1.0 - alpha) * x
        x = leaky(self.parts["block_1/conv0"](minibatch_deviation(x)))
        x = leaky(self.parts["block_1/conv1"](x))
        x = ops.cast(ops.reshape(x, (-1, x.shape[-1])), "float32")
        logits = {label: self.parts[f"{label}_logits"](x) for label in self.labels}
        return self.parts["score"](x)[:, 0], logits

    def table(self) -> list[Row]:
        """Rows of Table 4, read off the layers."""
        rows = [Row("image", "normalized", (*schedule.resolution(self.n_blocks), CHANNELS), 0)]
        for block in range(self.n_blocks, 0, -1):
            name = f"block_{block}/from_rgb"
            channels = filters_of(self.parts[name])
            rows.append(self._row(f"{block}", name, (*schedule.resolution(block), channels)))
        for block in range(self.n_blocks, 0, -1):
            size = schedule.resolution(block)
            if block == 1:
                below = self.parts["block_1/conv0"].kernel.shape[-2]
                rows.append(Row("1", "minibatch deviation", (*size, below), 0))
            for part in ("conv0", "conv1"):
                name = f"block_{block}/{part}"
                output = (1, 1) if name == "block_1/conv1" else size
                rows.append(self._row(f"{block}", name, (*output, filters_of(self.parts[name]))))
            if block > 1:
                below = filters_of(self.parts[f"block_{block}/conv1"])
                rows.append(
                    Row(f"{block}", "downscale", (*schedule.resolution(block - 1), below), 0)
                )
        for head in ("score", *(f"{label}_logits" for label in self.labels)):
            rows.append(self._row("heads", head, (filters_of(self.parts[head]),)))
        return rows

    def _from_rgb(self, images, block: int):
        return leaky(self.parts[f"block_{block}/from_rgb"](images))


def filters_of(layer) -> int:
    """Output channels of a layer."""
    return layer.kernel.shape[-1]


def carry_over(source: Network, target: Network) -> None:
    """Copy the variables that both networks have; the target's others stay as they are."""
    values = source.named_variables()
    for name, variable in target.named_variables().items():
        if name in values:
            variable.assign(values[name])


def _policy(precision: str) -> str:
    return "mixed_bfloat16" if precision == "bfloat16" else precision
