"""Echoes."""

from typing import Annotated, ClassVar

from pydantic import Field

from reverbsynth.effects import Effect
from reverbsynth.effects.filters import recirculate, whole_samples


class Delay(Effect):
    """Echoes at one distance, each weaker than the one before by ``feedback``."""

    kind: ClassVar[str] = "delay"

    time: Annotated[float, Field(gt=0, lt=4)] = Field(default=0.25, description="seconds")
    feedback: Annotated[float, Field(ge=0, lt=1)] = 0.4
    mix: Annotated[float, Field(ge=0, le=1)] = Field(default=0.4, description="share of the echoes")

    def process(self, audio, ids):
        echoes = recirculate(audio, whole_samples(self.time), [0.0, 1.0], [1.0, -self.feedback])
        return (1 - self.mix) * audio + self.mix * echoes
