"""Training that begins from networks that were trained before, on other sounds."""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from keras import ops

from reverbsynth.errors import SettingsError
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.magenta import read_original, read_original_networks
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.gan.schedule import is_transition
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.settings import GanSettings, Settings
from reverbsynth.settings.settings import changes, first_of
from reverbsynth.training.checkpoints import network_variables
from reverbsynth.training.run import Run

_TOLD = ("block_1/conv0/kernel", "/skip/kernel")
"""Of the generator: what the latent vector and labels enter."""


@dataclass(frozen=True)
class Origin:
    """Trained networks, of which a new training takes over what fits.

    ``generator`` is the average. ``networks`` are the generator itself and the discriminator, by
    names such as ``discriminator/block_1/conv0/kernel``, so far as they were kept: in place of the
    generator its average does; a discriminator begins fresh.
    """

    name: str
    generator: TrainedGenerator
    networks: Mapping[str, np.ndarray]

    @classmethod
    def of_run(cls, run: Run) -> Self:
        """The networks of a run after its last finished stage; a results bundle has the average."""
        return cls(run.directory.name, run.trained_generator(), run.weights())

    @classmethod
    def of_original(cls, directory: Path) -> Self:
        """The networks of an original training directory (`reverbsynth.gan.magenta`)."""
        networks = read_original_networks(directory)
        return cls(directory.resolve().name, read_original(directory), networks)

    @property
    def first_stage(self) -> int:
        """The stage to go on with: its own, or where that faded in a block, the block's own."""
        return self.generator.stage + is_transition(self.generator.stage)

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        """All variables by network and name."""
        average = self.generator.weights.items()
        both = {f"{kind}/{n}": v for kind in ("generator", "ema_generator") for n, v in average}
        return {**both, **self.networks}

    def facts(self) -> dict[str, Any]:
        """What the manifest of a run that begins here says of it."""
        digest = hashlib.sha256()
        for name, value in sorted(self.weights.items()):
            digest.update(name.encode() + np.ascontiguousarray(value).tobytes())
        facts = {"name": self.name, "sha256": digest.hexdigest(), "stage": self.generator.stage}
        return {**facts, "facts": self.generator.facts}

    def check(self, settings: Settings) -> None:
        """Raise `SettingsError` for networks or images of another shape; labels may differ."""
        there, here = (
            {"spectra": of.spectra.of_encoding(), "gan": of.gan.model_dump(exclude={"labels"})}
            for of in (settings, self.generator)
        )
        if changed := changes(there, here):
            raise SettingsError(f"{first_of(changed)}, as in {self.name}")

    def put_into(self, model: ProgressiveGAN) -> None:
        """Give a fresh model all weights that it has a place for.

        What belongs to a value of a label goes where the model has that value; new values, and
        blocks that the origin has not, stay fresh.
        """
        gan, old, new = self.generator.gan, self.generator.labels, model.labels
        for name, variable in network_variables(model).items():
            if (value := self.weights.get(name)) is None:
                continue
            network, _, layer = name.partition("/")
            head = layer.partition("_logits/")[0]
            if layer.endswith(_TOLD) and network != "discriminator":
                value = _matched(value, variable, _inputs(gan, old), _inputs(gan, new), axis=-2)
            elif head in new:
                value = _matched(value, variable, old[head], new[head], axis=-1)
            variable.assign(value)


def _inputs(gan: GanSettings, labels: LabelSpace) -> list[Hashable]:
    """A name for each number that enters the generator, in order."""
    names: list[Hashable] = [("latent", i) for i in range(gan.latent_size)]
    for label, values in labels.items():
        as_number = label == "pitch" and gan.pitch_input == "harmonic"
        names += [(label, None)] if as_number else []
        if not as_number or gan.key_shares:
            names += [(label, value) for value in values]
    return names


def _matched(
    value: np.ndarray, fresh: Any, old: Sequence[Hashable], new: Sequence[Hashable], axis: int
) -> np.ndarray:
    """A fresh variable with the slices along an axis whose names the old one has too."""
    result = np.moveaxis(np.array(ops.convert_to_numpy(fresh)), axis, 0)
    both = [name for name in new if name in old]
    slices = np.moveaxis(value, axis, 0)[[old.index(name) for name in both]]
    result[[new.index(name) for name in both]] = slices
    return np.moveaxis(result, 0, axis)
