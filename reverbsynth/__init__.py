"""ReverbSynth: a progressive GAN over IF-Mel spectrograms, as a reproducible paper.

The names of ``__all__`` and `reverbsynth.errors` are the public interface: they change only with
a note in the changelog. Names without a leading underscore elsewhere are documented for those who
build on the package, and may move. Whatever begins with an underscore is private.

Each public name is imported when it is first used, so that what needs no network does not wait for
one to be loaded.
"""

import os
import tempfile
from importlib import import_module
from typing import TYPE_CHECKING, Any

# What a user's keras.json names is for other programs.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# TensorFlow leaves oneDNN off where there is no AVX-512, though it is faster there, too.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# A user of a container may have no home, or one that cannot be written: caches then lie with
# temporary files, and not in a folder "~".
_home = _cache = os.path.expanduser("~")
while not os.path.exists(_cache):
    _cache = os.path.dirname(_cache) or os.sep
if _home == "~":
    os.environ["HOME"] = tempfile.gettempdir()
elif not os.access(_cache, os.W_OK):
    os.environ.setdefault("XDG_CACHE_HOME", os.path.join(tempfile.gettempdir(), ".cache"))

if TYPE_CHECKING:
    from reverbsynth.data.build import build_data as build_data
    from reverbsynth.data.dataset import DataSet as DataSet
    from reverbsynth.errors import ReverbSynthError as ReverbSynthError
    from reverbsynth.instrument.instrument import Instrument as Instrument
    from reverbsynth.settings import Settings as Settings
    from reverbsynth.training.run import Run as Run
    from reverbsynth.training.train import train as train

_HOMES = {
    "DataSet": "reverbsynth.data.dataset",
    "Instrument": "reverbsynth.instrument.instrument",
    "ReverbSynthError": "reverbsynth.errors",
    "Run": "reverbsynth.training.run",
    "Settings": "reverbsynth.settings",
    "build_data": "reverbsynth.data.build",
    "train": "reverbsynth.training.train",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reverbsynth' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
