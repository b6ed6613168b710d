"""Pictures of the chapter on what could not be taken from the paper."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from reverbsynth.audit import FIRST_LABEL, LABEL_COUNTS, example_reverb, level
from reverbsynth.figures.style import DRY, GENERATED, REAL, WET, canvas, style

_SHOWN = (100.0, 300.0)
"""Hz of the spectra that are drawn: notches lie too close together for more."""


@style()
def labels(pitches: Sequence[int]) -> Figure:
    """Pitches that the original asks of its generator, and those of the training notes."""
    figure, axes = canvas(1, 1, 2.4)
    known, counts = np.unique(pitches, return_counts=True)
    asked = FIRST_LABEL + np.arange(len(LABEL_COUNTS))
    shares = {
        "training notes of this page": (known, counts, REAL),
        "labels of the original": (asked, np.array(LABEL_COUNTS), GENERATED),
    }
    for name, (pitch, count, color) in shares.items():
        axes[0, 0].step(pitch, 100 * count / count.sum(), where="mid", color=color, label=name)
    axes[0, 0].set(xlabel="MIDI pitch", ylabel="share (%)", ylim=(0, None))
    axes[0, 0].legend()
    return figure


@style()
def chains() -> Figure:
    """The level of one chain of allpass filters, and of the example's two."""
    figure, axes = canvas(1, 1, 2.4)
    names = {"one chain, as in this book": WET, "the example's sum of two": DRY}
    for response, (name, color) in zip(example_reverb(), names.items(), strict=True):
        hz, db = level(response)
        shown = (hz >= _SHOWN[0]) & (hz <= _SHOWN[1])
        axes[0, 0].plot(hz[shown], db[shown], color=color, linewidth=1, label=name)
    axes[0, 0].set(xlabel="frequency (Hz)", ylabel="level (dB)", ylim=(-45, 6))
    axes[0, 0].legend(loc="lower right")
    return figure
