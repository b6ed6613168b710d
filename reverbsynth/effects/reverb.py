"""The paper's reverb: four Schroeder allpass filters in series."""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from reverbsynth.effects import Effect
from reverbsynth.effects.filters import allpass_chain
from reverbsynth.effects.supercollider.score import find_scsynth, render, scsynth_version
from reverbsynth.effects.supercollider.synthdef import SynthDef


class Reverb(Effect):
    """Schroeder allpass filters in series, each with a random delay.

    Delays are drawn uniformly from 0 to ``max_delay``. Allpass filters keep the energy of every
    frequency: the twin of a note is as loud, but for what its tail carries past the clip's end.
    SuperCollider and SciPy compute the same filters; ``auto`` takes scsynth where it is installed.
    """

    kind: ClassVar[str] = "reverb"

    engine: Literal["scipy", "supercollider", "auto"] = "scipy"
    delays: Literal["dataset", "note"] = Field(
        default="dataset", description="drawn once for the data set, or for every note (the paper)"
    )
    stages: int = Field(default=4, ge=1, le=64)
    max_delay: float = Field(default=0.05, gt=0, le=4, description="seconds")
    decay: float = Field(default=1.0, gt=0, le=60, description="seconds to -60 dB of each filter")

    @model_validator(mode="after")
    def _fits_the_synthdef(self) -> "Reverb":
        if self.engine == "supercollider" and self.stages != 4:
            expected = "expected 4 (engine supercollider has no other)"
            raise ValueError(f"stages: found {self.stages}, {expected}")
        return self

    def prepare(self) -> dict[str, Any]:
        version = {"version": scsynth_version()} if self._engine() == "supercollider" else {}
        delays = {"delays": self.draw().tolist()} if self.delays == "dataset" else {}
        return {"engine": self._engine()} | version | delays

    def process(self, audio, ids):
        each = self.delays == "note"
        delays = np.stack([self.draw(id) if each else self.draw() for id in ids])
        if self._engine() == "supercollider":
            controls = {"maxdelay": self.max_delay, "decay": self.decay}
            synthdef = SynthDef.shipped("reverbsynth_reverb")
            return render(synthdef, audio, [{**controls, "delays": drawn} for drawn in delays])
        if not each:
            return allpass_chain(audio, delays[0], self.decay)
        notes = zip(audio, delays, strict=True)
        return np.stack([allpass_chain(note, drawn, self.decay) for note, drawn in notes])

    def draw(self, *names: str) -> np.ndarray:
        """The filters' delays in seconds, float32 [shape=(stages,)]; ``names``: a note's id."""
        random = self.generator("delays", *names)
        return random.uniform(0, self.max_delay, self.stages).astype(np.float32)

    def _engine(self) -> str:
        if self.engine != "auto":
            return self.engine
        return "supercollider" if self.stages == 4 and find_scsynth() else "scipy"
