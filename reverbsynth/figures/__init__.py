"""Every picture and table of the book."""

from reverbsynth.figures.captions import show, table
from reverbsynth.figures.style import note_name

__all__ = ["note_name", "show", "table"]
