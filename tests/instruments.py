"""Instruments of untrained networks, made on the spot."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reverbsynth.gan.architecture import generator_shapes
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import GanSettings, SpectraSettings


def untrained_generator(
    labels: Mapping[str, Sequence[Any]],
    stage: int,
    progress: float | None = None,
    spectra: SpectraSettings | None = None,
    seed: int = 0,
    **gan: Any,
) -> TrainedGenerator:
    """A generator with the weights that training would begin with."""
    settings = GanSettings(labels=tuple(labels), **gan)
    space = LabelSpace.of(labels)
    weights = {}
    for name, shape in generator_shapes(settings, space.width, stage).items():
        part, kind = name.rsplit("/", 1)
        rng = np.random.default_rng([seed, zlib.crc32(part.encode())])
        weights[name] = (
            rng.standard_normal(shape, np.float32)
            if kind == "kernel"
            else np.zeros(shape, np.float32)
        )
    progress = stage / 2 if progress is None else progress
    return TrainedGenerator(
        settings, spectra or SpectraSettings(), space, stage, progress, weights, {}
    )


def untrained(labels: Mapping[str, Sequence[Any]], stage: int, **options: Any) -> Instrument:
    """The same as an instrument."""
    return Instrument(untrained_generator(labels, stage, **options))
