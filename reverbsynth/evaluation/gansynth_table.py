"""What GANSynth's authors published of their own models: rows to stand above ours."""

SOURCE = "GANSynth, recalled"
"""Table 1 of Engel et al., "GANSynth" (2019). The numbers were written down from memory and could
not be compared with the paper again; they say so wherever they are printed.
"""

BINS = 50
"""Their number of bins of NDB."""

COLUMNS = ("human wins", "NDB", "FID", "IS", "pitch accuracy (%)", "pitch entropy")

ROWS = {
    "real data": (549, 2.2, 13, 47.1, 98.2, 0.22),
    "IF-Mel + H": (485, 29.3, 167, 38.1, 97.9, 0.40),
    "IF + H": (308, 36.0, 104, 41.6, 98.3, 0.32),
    "phase + H": (225, 37.6, 592, 36.2, 97.6, 0.44),
    "IF-Mel": (479, 37.0, 600, 29.6, 94.1, 0.63),
    "IF": (283, 37.0, 708, 36.3, 96.8, 0.44),
    "phase": (203, 41.4, 687, 24.4, 94.4, 0.77),
    "WaveNet": (359, 45.9, 320, 29.1, 92.7, 0.70),
    "WaveGAN": (216, 43.0, 461, 13.7, 82.7, 1.40),
}
"""By model, in the order of `COLUMNS`: 70,379 notes of NSynth, pitches 24 to 84."""
