"""Echoes."""

from typing import ClassVar

from pydantic import Field

from reverbsynth.effects import Effect
from reverbsynth.effects.filters import recirculate, whole_samples


class Delay(Effect):
    """Echoes at one distance, each weaker than the one before by ``feedback``."""

    kind: ClassVar[str] = "delay"

    time: float = Field(default=0.25, gt=0, lt=4, description="seconds")
    feedback: float = Field(default=0.4, ge=0, lt=1)
    mix: float = Field(default=0.4, ge=0, le=1, description="share of the echoes")

    def process(self, audio, ids):
        echoes = recirculate(audio, whole_samples(self.time), [0.0, 1.0], [1.0, -self.feedback])
        return (1 - self.mix) * audio + self.mix * echoes
