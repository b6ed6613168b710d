"""An example piece: eight bars, written for this project.

The bass line is dedicated to the public domain (CC0 1.0).
"""

from pathlib import Path

BASS_LINE = Path(__file__).parent / "bass_line.mid"
