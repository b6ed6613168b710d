"""Notes: where they come from, what is done to them, and the files that hold them."""

from reverbsynth.data.build import build_data
from reverbsynth.data.notes import Note
from reverbsynth.data.records import DataSet

__all__ = ["DataSet", "Note", "build_data"]
