"""A run as pictures: its schedule and its curves (chapters 4 and 5, figures 17 to 24)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from reverbsynth.figures.style import canvas, stage_color, style
from reverbsynth.gan.networks import Discriminator, Generator
from reverbsynth.gan.stages import LAST_STAGE, Course, Schedule, is_transition, stage_resolution
from reverbsynth.settings import GanSettings, SpectraSettings
from reverbsynth.spectra import Representation

_POINTS = 4000
"""A curve with more points than this is thinned before it is drawn."""

_SMOOTHED = 60
"""Steps of a stage over which the strong line averages at most."""


@style()
def schedule(of: Schedule | Course) -> Figure:
    """Progress against images seen, coloured by stage, with each stage's resolution.

    Of a run by the clock, the stages that are finished.
    """
    figure, axes = canvas(1, 1, 2.5)
    ax = axes[0, 0]
    for stage in range(of.last_stage + 1):
        start, end = of.span(stage)
        if is_transition(stage):
            ends = ((stage - 1) / 2, (stage + 1) / 2)
        else:
            ends = (stage / 2, stage / 2)
        ax.plot([start, end], ends, color=stage_color(stage), linewidth=4, solid_capstyle="butt")
        frames, bins = stage_resolution(stage)
        if not is_transition(stage):
            ax.annotate(
                f"{frames}×{bins}",
                ((start + end) / 2, ends[0]),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
    ax.set(xlabel="images seen", ylabel="progress (blocks)")
    ax.set_ylim(-0.3, of.last_stage / 2 + 0.7)
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    return figure


@style()
def stage_legend(last: int) -> Figure:
    """The colours of the stages."""
    figure, axes = canvas(1, 1, 0.75)
    handles = []
    for stage in range(last + 1):
        frames, bins = stage_resolution(stage)
        kind = "blending in " if is_transition(stage) else ""
        label = f"stage {stage}: {kind}{frames}×{bins}"
        handles.append(Line2D([], [], color=stage_color(stage), linewidth=4, label=label))
    axes[0, 0].axis("off")
    axes[0, 0].legend(handles=handles, ncols=4, loc="center", fontsize=8)
    return figure


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


@style()
def parameters_by_stage(settings: GanSettings, pitches: int) -> Figure:
    """Trainable parameters of both networks at each stage, counted on live models."""
    figure, axes = canvas(1, 1, 2.5)
    ax = axes[0, 0]
    representation = Representation(SpectraSettings())
    for stage in range(0, LAST_STAGE + 1, 2):
        counts = (
            Generator(settings, pitches, stage).parameters(),
            Discriminator(settings, {"pitch": pitches}, representation, stage).parameters(),
        )
        for count, side, hatch in zip(counts, (-0.4, 0.4), ("", "///"), strict=True):
            ax.bar(
                stage + side,
                count,
                width=0.75,
                color=stage_color(stage),
                hatch=hatch,
                edgecolor="white",
            )
    ax.set_xticks(range(0, LAST_STAGE + 1, 2))
    ax.set(xlabel="stage", ylabel="parameters")
    ax.yaxis.set_major_formatter(EngFormatter(sep=" "))
    handles = [
        Patch(facecolor="#999999", hatch=hatch, edgecolor="white", label=label)
        for hatch, label in (("", "generator"), ("///", "discriminator"))
    ]
    ax.legend(handles=handles, loc="upper left")
    return figure
