"""SuperCollider as an effect: notes through compiled SynthDefs, by scsynth in non-real time."""

from reverbsynth.effects.supercollider.score import find_scsynth, render, scsynth_version
from reverbsynth.effects.supercollider.synthdef import SynthDef

__all__ = ["SynthDef", "find_scsynth", "render", "scsynth_version"]
