"""Training curves against images seen, one colour a stage (Figures 18 to 24)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from reverbsynth.book.style import canvas, stage_color, style

_POINTS = 4000
"""A curve with more points than this is thinned before it is drawn."""

_SMOOTHED = 60
"""Steps of a stage over which the strong line averages at most."""


@style()
def curve(metrics: pd.DataFrame, column: str, label: str, log: bool = False) -> Figure:
    """One column of a run's metrics against images seen, coloured by stage.

    The thin line is every measured step; the strong one a moving average within the stage.

    Parameters
    ----------
    metrics : DataFrame
        As `Run.metrics` gives it.
    column : str
    label : str
        The vertical axis.
    log : bool
        A logarithmic vertical axis.
    """
    figure, axes = canvas(1, 1, 2.3)
    ax = axes[0, 0]
    measured = metrics[["images", "stage", column]].dropna(subset=column)
    for stage, part in measured.groupby("stage"):
        color = stage_color(int(stage))
        images, values = part["images"].to_numpy(), part[column].to_numpy()
        if len(values) == 1:
            ax.plot(images, values, ".", color=color, markersize=5)
            continue
        thin = max(len(values) // (_POINTS // 8), 1)
        ax.plot(images[::thin], values[::thin], color=color, linewidth=0.6, alpha=0.45)
        ax.plot(images, moving_average(values), color=color, linewidth=1.8)
    ax.set(xlabel="images seen", ylabel=label)
    if log:
        ax.set_yscale("log")
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    return figure


def moving_average(values: np.ndarray) -> np.ndarray:
    """Centred mean over a tenth of the values, `_SMOOTHED` at most; the ends use what there is."""
    half = min(max(len(values) // 10, 1), _SMOOTHED) // 2 + 1
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    place = np.arange(len(values))
    first, last = np.maximum(place - half, 0), np.minimum(place + half + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)
