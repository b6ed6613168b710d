"""One style for every picture of the book.

Colours are Okabe and Ito's, which people with the common forms of colour blindness can tell apart;
the same thing has the same colour everywhere, and stages run from dark to light.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import librosa
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

DRY = "#0072B2"
WET = "#D55E00"
REAL = "#000000"
GENERATED = "#009E73"
OTHER = ("#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
MAGNITUDE = "magma"
FREQUENCY = "PuOr"

WIDTH = 8.0
"""Inches; at 2x resolution as wide as the page's text."""

_STYLE = {
    "figure.dpi": 110,
    "savefig.dpi": 200,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.4,
    "legend.frameon": False,
    "image.aspect": "auto",
    "image.origin": "lower",
    "image.interpolation": "nearest",
    "svg.fonttype": "path",
}


def effect_color(effect: str, effects: Sequence[str] = ()) -> str:
    """The colour of an effect: dry and reverb have theirs, others take the next free one."""
    fixed = {"dry": DRY, "reverb": WET}
    if effect in fixed:
        return fixed[effect]
    others = [name for name in effects if name not in fixed]
    return OTHER[others.index(effect) % len(OTHER)] if effect in others else OTHER[-1]


def stage_color(stage: int, last: int = 12) -> tuple[float, float, float, float]:
    """The colour of a stage: dark for the first, light for the last."""
    return mpl.colormaps["viridis"](0.95 * stage / max(last, 1))


def note_name(pitch: int) -> str:
    """A pitch for people: ``C2 (36)``."""
    return f"{librosa.midi_to_note(pitch, unicode=True)} ({pitch})"


@contextmanager
def style() -> Iterator[None]:
    """Apply the style within a block, or as a decorator within a function."""
    with mpl.rc_context(_STYLE):
        yield


def canvas(
    rows: int = 1, columns: int = 1, height: float = 2.6, **options
) -> tuple[Figure, np.ndarray]:
    """A figure as wide as the page with its axes [shape=(rows, columns)].

    It belongs to no window and no pyplot state: nothing is shown twice, nothing stays open.
    """
    figure = Figure(figsize=(WIDTH, height))
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def picture_axes(axes: Axes) -> None:
    """Axes that hold a picture: no grid over it."""
    axes.grid(False)
