"""Chorus: copies of the note whose delay swings, so that their pitch does."""

from typing import ClassVar

import numpy as np
from pydantic import Field, model_validator

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.effects import Effect


class Chorus(Effect):
    """Voices with sinusoidally swinging delays, whose phases are drawn once for the data set."""

    kind: ClassVar[str] = "chorus"

    voices: int = Field(default=3, ge=1, le=16)
    rate: float = Field(default=0.8, gt=0, le=20, description="swings a second")
    delay: float = Field(default=0.02, gt=0, le=0.1, description="mean, in seconds")
    depth: float = Field(default=0.003, ge=0, le=0.1, description="swing, in seconds")
    mix: float = Field(default=0.5, ge=0, le=1, description="share of the voices")

    @model_validator(mode="after")
    def _causal(self) -> "Chorus":
        if self.depth > self.delay:
            expected = f"expected at most delay ({self.delay:g})"
            raise ValueError(f"depth: found {self.depth:g}, {expected}")
        return self

    def process(self, audio, ids):
        sample = np.arange(audio.shape[-1])
        wet = np.zeros_like(audio)
        for phase in self.generator("phases").uniform(0, 2 * np.pi, self.voices):
            swing = np.sin(2 * np.pi * self.rate * sample / SAMPLE_RATE + phase)
            read = sample - SAMPLE_RATE * (self.delay + self.depth * swing)
            for number, note in enumerate(audio):
                wet[number] += np.interp(read, sample, note, left=0.0) / self.voices
        return (1 - self.mix) * audio + self.mix * wet
