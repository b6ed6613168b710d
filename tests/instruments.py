"""Instruments of untrained networks, made on the spot."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reverbsynth.gan.architecture import condition_size, generator_shapes
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
    trained_pitches: Sequence[int] | None = None,
    **gan: Any,
) -> TrainedGenerator:
    """A generator with the weights that training would begin with; of all pitches by default."""
    settings = GanSettings(labels=tuple(labels), **gan)
    space = LabelSpace(labels)
    weights = {}
    for name, shape in generator_shapes(settings, condition_size(settings, space), stage).items():
        part, kind = name.rsplit("/", 1)
        rng = np.random.default_rng([seed, zlib.crc32(part.encode())])
        weights[name] = (
            rng.standard_normal(shape, np.float32)
            if kind == "kernel"
            else np.zeros(shape, np.float32)
        )
    progress = stage / 2 if progress is None else progress
    trained = tuple(space["pitch"] if trained_pitches is None else trained_pitches)
    return TrainedGenerator(
        settings, spectra or SpectraSettings(), space, stage, progress, weights, {}, trained
    )


def untrained(labels: Mapping[str, Sequence[Any]], stage: int, **options: Any) -> Instrument:
    """The same as an instrument."""
    return Instrument(untrained_generator(labels, stage, **options))
