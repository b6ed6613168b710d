"""ReverbSynth: a progressive GAN over IF-Mel spectrograms, as a reproducible paper.

The package's face; each name is imported when it is first used, so that a command which needs no
network does not wait for one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reverbsynth.data.build import build_data
    from reverbsynth.data.dataset import DataSet
    from reverbsynth.errors import ReverbSynthError
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.settings import Settings
    from reverbsynth.training.run import Run
    from reverbsynth.training.train import train

_HOMES = {
    "DataSet": "reverbsynth.data.dataset",
    "Instrument": "reverbsynth.instrument.instrument",
    "ReverbSynthError": "reverbsynth.errors",
    "Run": "reverbsynth.training.run",
    "Settings": "reverbsynth.settings",
    "build_data": "reverbsynth.data.build",
    "train": "reverbsynth.training.train",
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
