"""Distortion: the harmonics of a soft clipper."""

from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy.signal import resample_poly

from reverbsynth.effects import Effect

OVERSAMPLING = 4  # Of the clipper, so that its harmonics do not fold back.


class Distortion(Effect):
    """``tanh(drive x) / tanh(drive)``: full scale stays full scale, quiet notes come out louder."""

    kind: ClassVar[str] = "distortion"

    drive: float = Field(default=8.0, gt=0, le=100)

    def process(self, audio, ids):
        fine = resample_poly(audio, OVERSAMPLING, 1, axis=-1)
        clipped = resample_poly(np.tanh(self.drive * fine), 1, OVERSAMPLING, axis=-1)
        return clipped / np.tanh(self.drive)
