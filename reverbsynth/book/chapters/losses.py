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
from reverbsynth.evaluation import curves
from reverbsynth.evaluation.report import Report
from reverbsynth.training.run import Run

_THINNED = 500  # a stage with more measurements than twice this is thinned before it is drawn
_SMOOTHED = 60  # steps of a stage over which the strong line averages at most
PAPER_PITCHES = 61  #: that the paper's discriminator tells apart
_LIMITS = pd.read_csv(Path(__file__).with_name("frames.csv")).itertuples(index=False)
FRAMES = {column: (lowest, highest) for column, lowest, highest in _LIMITS}
"""Vertical limits of the paper's figures 18 to 24."""
LOGARITHMIC = ("fake_consistency", "real_consistency")


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
def curve(metrics: pd.DataFrame, column: str, label: str, pitches: int = 0) -> Figure:
    """One column of `Run.metrics`, and its moving average, by stage; the paper's curve below.

    The run's axis spans the averages; the paper's is as printed, but for those of `LOGARITHMIC`. Of
    a classifier that tells so many ``pitches`` apart a dotted line shows the loss of guessing.
    """
    theirs = results_table("paper_curves.csv") if column in FRAMES else pd.DataFrame()
    drawn = [("this run", metrics, pitches)]
    drawn += [] if theirs.empty else [("the paper", theirs, PAPER_PITCHES if pitches else 0)]
    figure, axes = canvas(len(drawn), 1, 2.3 if theirs.empty else 4.2)
    for ax, (whose, rows, told_apart) in zip(axes.flat, drawn, strict=True):
        low, high = _draw(ax, rows, column, told_apart)
        ax.set(ylabel=f"{whose}\n{label}", yscale="log" if column in LOGARITHMIC else "linear")
        if rows is theirs and column not in LOGARITHMIC:
            ax.set_ylim(FRAMES[column])
        elif high > low and column not in LOGARITHMIC:
            ax.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
    return figure


def course(metrics: pd.DataFrame, column: str) -> str:
    """Sentences on where a curve goes, this run's and the paper's, for a caption."""
    theirs = results_table("paper_curves.csv") if column in FRAMES else pd.DataFrame()
    said: list[str] = []
    for name, rows in (("This run", metrics), ("The paper's", theirs)):
        if column in rows and rows[column].notna().any():
            first, last, _ = map(_rounded, curves.changes(rows, [column]).loc[column])
            said.append(f"{name}: {first} on average in the first tenth, {last} in the last.")
    if column in theirs and column not in LOGARITHMIC:
        theirs = theirs.dropna(subset=column)
        outside = theirs["stage"][~theirs[column].between(*FRAMES[column])].unique()
        cut = listed(list(outside))
        said.append(f"Points beyond its printed axis are cut off in stages: {cut}.")
    return " ".join(said)


def beside_guessing(run: Run, report: Report | None = None) -> Markdown:
    """How the AC losses of the pitch end beside guessing, and what a classifier hears."""
    metrics, pitches = run.metrics(), len(run.labels["pitch"])
    guessing, said = log(pitches), []
    for kind, notes in (("real", "real"), ("fake", "generated")):
        rows = metrics.dropna(subset=(column := f"{kind}_pitch_loss"))
        weights = curves.steps(rows)
        sums = (rows[column] * weights).groupby(rows["stage"]).sum()
        means = sums / weights.groupby(rows["stage"]).sum()
        end = curves.changes(rows, [column]).loc[column, "last"]
        low = [int(stage) for stage in means.index[means < guessing]]
        below = "every stage" if len(low) == len(means) else f"stages: {listed(low)}"
        said.append(
            f"On {notes} notes this run's AC loss ends at {_rounded(end)} nats, "
            f"{'below' if end < guessing else 'above'} guessing among {pitches} pitches "
            f"({guessing:.2f}); its mean over a stage is below guessing in {below}."
        )
    if report and (heard := report["pitch.accuracy"]).generated.known:
        said.append(
            f"How many notes have the requested pitch is another question: in the end a classifier "
            f"that knows real notes alone hears it in {heard.text('generated')} % of them."
        )
    return Markdown(" ".join(said))


def _rounded(value: float) -> str:
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "\u2212")


def _draw(ax: Axes, metrics: pd.DataFrame, column: str, pitches: int) -> tuple[float, float]:
    """Draw a curve with its stages' colours and numbers, and the loss of guessing.

    Return the span of its averages and of that loss.
    """
    spanned = [log(pitches)] if pitches else []
    look: Any = {"weight": "bold", "ha": "center", "va": "bottom", "fontsize": 8}
    look["transform"] = ax.get_xaxis_transform()
    for stage, part in metrics.dropna(subset=column).groupby("stage"):
        color = stage_color(int(stage))
        images, values = part["images"].to_numpy(), part[column].to_numpy()
        thin, mark = max(len(values) // _THINNED, 1), "." if len(values) == 1 else ""
        ax.plot(images[::thin], values[::thin], color=color, linewidth=0.6, alpha=0.45)
        ax.plot(images, average := moving_average(values), color=color, lw=1.8, marker=mark)
        spanned += average[np.isfinite(average)].tolist()
        ax.text(images.mean(), 1, f"{stage}", color=color, **look)
        ax.axvline(images[-1], color=OTHER[3], linewidth=0.4)
    if pitches:
        ax.axhline(log(pitches), color=OTHER[3], linestyle=":", label=f"guessing: ln {pitches}")
        end: Any = {"bbox_to_anchor": (1, log(pitches)), "bbox_transform": ax.get_yaxis_transform()}
        ax.legend(loc="center left", handlelength=1, **end)
    images_axis(ax)
    return min(spanned, default=0.0), max(spanned, default=0.0)


def moving_average(values: np.ndarray) -> np.ndarray:
    """Centred mean over a tenth of the values, `_SMOOTHED` at most; the ends use what there is."""
    width = 2 * (min(max(len(values) // 10, 1), _SMOOTHED) // 2) + 3
    return pd.Series(values).rolling(width, center=True, min_periods=1).mean().to_numpy()


def label_curves(run: Run) -> HTML | Markdown:
    """Captioned AC losses, generated and real, of every label but pitch; or a sentence."""
    metrics, shown, kinds = run.metrics(), "", {"fake": "generated", "real": "real"}
    others = [label for label in run.labels if label != "pitch"]
    for label, (kind, notes) in product(others, kinds.items()):
        column = f"{kind}_{label}_loss"
        figure = curve(metrics, column, "cross-entropy (nats)")
        guess = log(len(run.labels[label]))
        caption = f"**AC loss of the {label}, {notes} notes.** {course(metrics, column)} "
        caption += f"Guessing among {len(run.labels[label])} gives {guess:.2f}."
        alt = f"The auxiliary classifier's loss of the {label} on {notes} notes against images "
        alt += "seen, one colour a stage."
        shown += show(figure, caption, run, f"loss-{label}-{kind}", alt).data
    pitch_alone = "This run was given the pitch and nothing else, as in the paper."
    return HTML(shown) if shown else Markdown(pitch_alone)
