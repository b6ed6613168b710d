"""A trained generator as plain values: what an instrument, a graph or a search needs of it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reverbsynth.errors import RunError
from reverbsynth.gan.architecture import condition_size, generator_shapes
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.schedule import LAST_STAGE, N_BLOCKS
from reverbsynth.settings import GanSettings, SpectraSettings


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator after some stage of training; a `RunError` where its parts do not fit each other.

    ``progress`` is p of the schedule, a whole number after a stable stage; ``weights`` are by name
    (`reverbsynth.gan.architecture.generator_shapes`), float32; ``facts`` say where they came from;
    ``trained_pitches`` are those of the label's pitches that it was trained on, in order.
    """

    gan: GanSettings
    spectra: SpectraSettings
    labels: LabelSpace
    stage: int
    progress: float
    weights: dict[str, np.ndarray]
    facts: dict[str, Any]
    trained_pitches: tuple[int, ...]

    def __post_init__(self) -> None:
        if tuple(self.labels) != self.gan.labels:
            raise RunError("instrument: its labels do not fit its settings")
        known = tuple(pitch for pitch in self.labels["pitch"] if pitch in self.trained_pitches)
        if not known or known != self.trained_pitches:
            raise RunError("instrument: its trained pitches are not among its pitches, in order")
        if not isinstance(self.stage, int) or not 0 <= self.stage <= LAST_STAGE:
            raise RunError(f"instrument: stage {self.stage!r}, expected 0 to {LAST_STAGE}")
        if not 0 <= self.progress < N_BLOCKS:
            raise RunError(f"instrument: progress {self.progress!r}, expected 0 to {N_BLOCKS - 1}")
        shapes = generator_shapes(self.gan, condition_size(self.gan, self.labels), self.stage)
        if shapes.keys() != self.weights.keys():
            odd = sorted(shapes.keys() ^ self.weights.keys())[0]
            raise RunError(f"instrument: weight {odd} is missing or out of place")
        for name, shape in shapes.items():
            value = self.weights[name]
            if value.shape != shape:
                found = f"instrument: weight {name} has shape {value.shape}"
                raise RunError(f"{found}, expected {shape}")
            if not np.isfinite(value).all():
                raise RunError(f"instrument: weight {name} holds values that are not finite")

    def in_float16(self) -> "TrainedGenerator":
        """The same with weights rounded to float16, kept as float32."""
        rounded = {k: v.astype(np.float16).astype(np.float32) for k, v in self.weights.items()}
        return replace(self, weights=rounded)
