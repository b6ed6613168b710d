"""One style for every picture of the book, with the same colour for the same thing everywhere.

Colours are Okabe and Ito's, which people with the common forms of colour blindness can tell apart.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from reverbsynth.audio.pitch import pitch_name
from reverbsynth.gan.schedule import LAST_STAGE, is_transition, stage_resolution

DRY = "#0072B2"
WET = "#D55E00"
REAL = "#000000"
GENERATED = "#009E73"
OTHER = ("#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
INK = "#767676"  #: text of transparent figures, to be read on white and, brightened, on black
MAGNITUDE = "magma"
FREQUENCY = "twilight"  #: cyclic, as an angle is, with a dark middle: silence

WIDTH = 8.0  #: inches; at 2x resolution as wide as the page's text
KINDS = {  #: of notes in an evaluation: the name in legends, the colour and the line of each
    "real": ("real", REAL, "-"),
    "ceiling": ("real, through an image", OTHER[3], "--"),
    "generated": ("generated", GENERATED, "-"),
}
_STYLE = mpl.rc_params_from_file(Path(__file__).with_name("book.mplstyle"), False, False)
_TRANSPARENT: Any = dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none")
for _part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    _TRANSPARENT[_part] = INK


@contextmanager
def style(transparent: bool = False) -> Iterator[None]:
    """Apply the style, and nothing of a reader's ``matplotlibrc``, within a block or a function.

    A ``transparent`` figure, which lies on a light page and on a dark one, has text of `INK`.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        if transparent:
            mpl.rcParams.update(_TRANSPARENT)
        yield


def canvas(
    rows: int = 1, columns: int = 1, height: float = 2.6, **options
) -> tuple[Figure, np.ndarray]:
    """A figure of the page's width, free of pyplot, and its axes [shape=(rows, columns)]."""
    figure = Figure(figsize=(WIDTH, height))
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def effect_color(effect: str, effects: Sequence[str] = ()) -> str:
    """The colour of an effect: dry and reverb have theirs, others take the next free one."""
    fixed = {"dry": DRY, "reverb": WET}
    others = [name for name in effects if name not in fixed]
    return {**dict(zip(others, cycle(OTHER))), **fixed}.get(effect, OTHER[-1])


def stage_color(stage: int) -> tuple[float, float, float, float]:
    """The colour of a stage: blue to green for stable ones, pink to orange for those between."""
    place = stage / LAST_STAGE
    if is_transition(stage):
        return mpl.colormaps["plasma"](0.35 + 0.4 * place)
    return mpl.colormaps["viridis"](0.9 * place)


def stage_size(stage: int) -> str:
    """A stage's resolution for people: ``4×32``, or ``blending in 4×32``."""
    frames, bins = stage_resolution(stage)
    return f"{'blending in ' if is_transition(stage) else ''}{frames}×{bins}"


def note_name(pitch: int) -> str:
    """A pitch for people: ``C2 (36)``."""
    return f"{pitch_name(pitch)} ({pitch})"


def hertz_axis(ax: Axes) -> None:
    """Make the horizontal axis a logarithmic one in Hz."""
    ax.set(xlabel="frequency (Hz)", xscale="log", xlim=(30, 8000))
    ax.set_xticks([50, 200, 1000, 5000], ["50", "200", "1,000", "5,000"])
    ax.minorticks_off()


def images_axis(ax: Axes) -> None:
    """Make the horizontal axis one of images seen."""
    ax.set_xlabel("images seen")
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))


def mark_empty(axes: np.ndarray, words: str = "nothing to show") -> None:
    """Say so in the middle of axes that hold nothing."""
    for ax in axes.flat:
        if not ax.has_data():
            ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center")
