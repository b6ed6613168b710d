"""Reverb of a real or imagined room: convolution with an impulse response from a file."""

from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from scipy.signal import oaconvolve

from reverbsynth.audio.io import read_response
from reverbsynth.effects import Effect
from reverbsynth.errors import DataError
from reverbsynth.files.reading import sha256
from reverbsynth.settings.types import UserPath


class Convolution(Effect):
    """Convolution with an impulse response, of which the first 4 s count."""

    kind: ClassVar[str] = "convolution"

    path: UserPath = Field(description="sound file of the impulse response, of any rate")
    mix: float = Field(default=1.0, ge=0, le=1, description="share of the wet sound")
    normalize: bool = Field(default=True, description="to an energy of 1: noise stays as loud")

    def prepare(self) -> dict[str, Any]:
        self.response()
        return super().prepare()

    def inputs(self):
        return {str(self.path): sha256(self.path)}

    def response(self) -> tuple[np.ndarray, int]:
        """The impulse response at 16 kHz, float32 [shape=(n,)], and the sample of its time 0."""
        response, start = read_response(self.path)
        energy = float(np.sum(np.square(response, dtype=np.float64)))
        if not energy > 0:
            raise DataError(f"{self.path}: is silent, expected an impulse response")
        factor = 1 / np.sqrt(energy) if self.normalize else 1.0
        return (response * factor).astype(np.float32), start

    def process(self, audio, ids):
        response, start = self.response()
        wet = [oaconvolve(note, response)[start:][: audio.shape[-1]] for note in audio]
        return (1 - self.mix) * audio + self.mix * np.stack(wet)
