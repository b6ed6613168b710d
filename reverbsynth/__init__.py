"""ReverbSynth: a progressive GAN over IF-Mel spectrograms, as a reproducible paper.

The package's face; each name is imported when it is first used, so that a command which needs no
network does not wait for one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reverbsynth.data import DataSet, build_data
    from reverbsynth.errors import ReverbSynthError
    from reverbsynth.instrument import Instrument
    from reverbsynth.runs import Run
    from reverbsynth.settings import Settings
    from reverbsynth.training import train

_HOMES = {
    "DataSet": "reverbsynth.data",
    "Instrument": "reverbsynth.instrument",
    "ReverbSynthError": "reverbsynth.errors",
    "Run": "reverbsynth.runs",
    "Settings": "reverbsynth.settings",
    "build_data": "reverbsynth.data",
    "train": "reverbsynth.training",
}

__all__ = [
    "DataSet",
    "Instrument",
    "ReverbSynthError",
    "Run",
    "Settings",
    "build_data",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reverbsynth' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
