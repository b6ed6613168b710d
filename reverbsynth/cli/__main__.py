"""``python -m reverbsynth.cli``."""

from reverbsynth.cli import main

main()
