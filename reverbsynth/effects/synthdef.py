"""A user's own SuperCollider effect."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from reverbsynth.effects import Effect
from reverbsynth.effects.supercollider.score import render, scsynth_version
from reverbsynth.effects.supercollider.synthdef import SynthDef
from reverbsynth.errors import DataError, SettingsError
from reverbsynth.files.reading import sha256
from reverbsynth.settings.types import UserPath

Finite = Annotated[float, Field(allow_inf_nan=False)]


class UserSynthDef(Effect):
    """Any compiled SynthDef that plays the mono buffer of its control ``bufnum`` to bus 0.

    A control ``out`` may name the bus. Random numbers are seeded by note: one that draws its own
    delays, as the paper's did, draws new ones for every note, always the same.
    """

    kind: ClassVar[str] = "synthdef"

    path: UserPath = Field(description="the .scsyndef file")
    controls: dict[str, Finite | list[Finite]] = Field(
        default={}, description="values of the SynthDef's controls, by name"
    )

    def prepare(self) -> dict[str, Any]:
        synthdef = SynthDef.load(self.path)
        if "bufnum" not in synthdef.controls:
            found = f"SynthDef {synthdef.name} has no control bufnum"
            raise DataError(f"{self.path}: {found}, expected one that names the buffer to play")
        for name, value in self.controls.items():
            size = synthdef.controls.get(name, 0) if name not in ("bufnum", "out") else 0
            if np.size(value) != size:
                takes = f"{size} values" if size else "none of that name"
                place = f"setting data.effects: effect synthdef: parameter controls.{name}"
                expected = f"but SynthDef {synthdef.name} takes {takes}"
                raise SettingsError(f"{place}: found {value!r}, {expected}")
        return {"engine": "supercollider", "version": scsynth_version()}

    def inputs(self):
        return {str(self.path): sha256(self.path)}

    def process(self, audio, ids):
        seeds = [int(self.generator("seed", id).integers(2**23)) for id in ids]
        return render(SynthDef.load(self.path), audio, [self.controls] * len(audio), seeds)
