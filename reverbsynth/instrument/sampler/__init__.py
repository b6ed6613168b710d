"""Instruments for samplers: notes as sound files, and a file that says which key plays which.

`samples` makes the notes; `sfz`, `dspreset` and `sf2` write them, a format each.
"""

from reverbsynth.instrument.sampler.dspreset import write_dspreset
from reverbsynth.instrument.sampler.sf2 import write_sf2
from reverbsynth.instrument.sampler.sfz import write_sfz

WRITERS = {".sfz": write_sfz, ".dspreset": write_dspreset, ".sf2": write_sf2}
"""What writes a file, by its suffix."""
