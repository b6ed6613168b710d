"""Chapter 5: the loss curves against images seen, one colour a stage (figures 17 to 24)."""

from itertools import product
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reverbsynth.book.captions import listed, show
from reverbsynth.book.style import OTHER, canvas, images_axis, stage_color, stage_size, style
from reverbsynth.book.workspace import results_table
from reverbsynth.training.metrics import curve_names
from reverbsynth.training.run import Run

_THINNED = 500  # a stage with more measurements than twice this is thinned before it is drawn
_SMOOTHED = 60  # steps of a stage over which the strong line averages at most
PAPER_PITCHES = 61  #: that the paper's discriminator tells apart
_LIMITS = pd.read_csv(Path(__file__).with_name("frames.csv")).itertuples(index=False)
FRAMES = {column: (lowest, highest) for column, lowest, highest in _LIMITS}
"""Vertical limits of the paper's figures 18 to 24."""


@style()
def stage_legend(last: int) -> Figure:
    """The colours of the stages (figure 17)."""
    figure, axes = canvas(1, 1, 0.75)
    for stage in range(last + 1):
        label = f"stage {stage}: {stage_size(stage)}"
        axes[0, 0].plot([], [], color=stage_color(stage), linewidth=4, label=label)
    axes[0, 0].axis("off")
    axes[0, 0].legend(ncols=4, loc="center", fontsize=8)
    return figure


@style()
def curve(
    metrics: pd.DataFrame, column: str, label: str, log_scale: bool = False, pitches: int = 0
) -> Figure:
    """One column of `Run.metrics`, and its moving average, by stage; the paper's curve below.

    Of a classifier that tells so many ``pitches`` apart a dotted line shows the loss of guessing.
    """
    theirs = results_table("paper_curves.csv") if column in FRAMES else pd.DataFrame()
    figure, axes = canvas(1 if theirs.empty else 2, 1, 2.3 if theirs.empty else 4.2)
    _draw(axes[0, 0], metrics, column, pitches)
    axes[0, 0].set_ylabel(f"this run\n{label}")
    if not theirs.empty:
        _draw(axes[1, 0], theirs, column, PAPER_PITCHES if pitches else 0)
        axes[1, 0].set(ylabel=f"the paper\n{label}", ylim=FRAMES[column])
    for ax in axes[:, 0] if log_scale else ():
        ax.set_yscale("log")
        ax.autoscale(axis="y")
    return figure


def _draw(ax: Axes, metrics: pd.DataFrame, column: str, pitches: int) -> None:
    """Draw a curve with its stages' colours and numbers, and the loss of guessing."""
    look: Any = {"weight": "bold", "ha": "center", "va": "bottom", "fontsize": 8}
    look["transform"] = ax.get_xaxis_transform()
    averages = []
    for stage, part in metrics.dropna(subset=column).groupby("stage"):
        color = stage_color(int(stage))
        images, values = part["images"].to_numpy(), part[column].to_numpy()
        thin, mark = max(len(values) // _THINNED, 1), "." if len(values) == 1 else ""
        ax.plot(images[::thin], values[::thin], color=color, linewidth=0.6, alpha=0.45)
        averages.append(moving_average(values))
        ax.plot(images, averages[-1], color=color, linewidth=1.8, marker=mark)
        ax.text(images.mean(), 1, f"{stage}", color=color, **look)
        ax.axvline(images[-1], color=OTHER[3], linewidth=0.4)
    if averages:  # single steps leap far beyond, and would leave the rest a flat line
        every = np.concatenate(averages)
        margin = 0.25 * np.ptp(every) or 1.0
        ax.set_ylim(every.min() - margin, every.max() + margin)
    if pitches:
        ax.axhline(log(pitches), color=OTHER[3], linestyle=":", label=f"guessing: ln {pitches}")
        ax.legend(loc="upper right")
    images_axis(ax)


def stage_means(run: Run) -> pd.DataFrame:
    """Mean of each of the paper's curves in each stage, of this run and of the paper's."""
    names, rows = curve_names(run.labels), {}
    sources = {"this run": run.metrics(), "the paper": results_table("paper_curves.csv")}
    for column, (who, metrics) in product(FRAMES, sources.items()):
        if column in metrics and column in names:
            means = metrics.groupby("stage")[column].mean()
            rows[f"{names[column]}, {who}"] = {str(s): f"{mean:.3g}" for s, mean in means.items()}
    return pd.DataFrame.from_dict(rows, "index").fillna("").rename_axis("curve, by stage")


def beside_guessing(run: Run) -> Markdown:
    """In which stages this run's AC losses of the pitch lie above that of guessing."""
    guess, sentences = log(len(run.labels["pitch"])), []
    means = run.metrics().groupby("stage")[["real_pitch_loss", "fake_pitch_loss"]].mean()
    for column, notes in (("real_pitch_loss", "real"), ("fake_pitch_loss", "generated")):
        above = listed(means.index[means[column] >= guess].tolist())
        sentences.append(f"on {notes} notes in these stages: {above}")
    return Markdown(
        f"In this run the mean AC loss of the pitch is above that of guessing, {guess:.2f}, "
        f"{'; '.join(sentences)}. Where it is above, the discriminator's label heads do not hold "
        "the generator in tune; what else does is in [](04_training.ipynb), and how well, by a "
        "classifier that took no part in the training, in [](08_evaluation.ipynb)."
    )


def moving_average(values: np.ndarray) -> np.ndarray:
    """Centred mean over a tenth of the values, `_SMOOTHED` at most; the ends use what there is."""
    width = 2 * (min(max(len(values) // 10, 1), _SMOOTHED) // 2) + 3
    return pd.Series(values).rolling(width, center=True, min_periods=1).mean().to_numpy()


def label_curves(run: Run) -> HTML | Markdown:
    """Captioned AC losses, generated and real, of every label but pitch; or a sentence."""
    metrics, shown, kinds = run.metrics(), "", {"fake": "generated", "real": "real"}
    others = [label for label in run.labels if label != "pitch"]
    for label, (kind, notes) in product(others, kinds.items()):
        figure = curve(metrics, f"{kind}_{label}_loss", "cross-entropy (nats)")
        caption = f"**AC loss of the {label}, {notes} notes.**"
        alt = f"The auxiliary classifier's loss of the {label} on {notes} notes against images "
        alt += "seen, one colour a stage."
        shown += show(figure, caption, run, f"loss-{label}-{kind}", alt).data
    pitch_alone = "This run was given the pitch and nothing else, as in the paper."
    return HTML(shown) if shown else Markdown(pitch_alone)
