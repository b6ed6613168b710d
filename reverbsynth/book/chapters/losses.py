"""Chapter 5: the loss curves against images seen, one colour a stage (figures 17 to 24)."""

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown
from matplotlib.figure import Figure

from reverbsynth.book.captions import show
from reverbsynth.book.style import canvas, images_axis, stage_color, stage_size, style
from reverbsynth.training.run import Run

_THINNED = 500  # a stage with more measurements than twice this is thinned before it is drawn
_SMOOTHED = 60  # steps of a stage over which the strong line averages at most


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
def curve(metrics: pd.DataFrame, column: str, label: str, log: bool = False) -> Figure:
    """One column of `Run.metrics` against images seen, coloured by stage (figures 18 to 24).

    The thin line is every measured step; the strong one a moving average within the stage. The
    vertical axis has a label, and is logarithmic where ``log`` says so.
    """
    figure, axes = canvas(1, 1, 2.3)
    ax = axes[0, 0]
    measured = metrics[["images", "stage", column]].dropna(subset=column)
    for stage, part in measured.groupby("stage"):
        color = stage_color(int(stage))
        images, values = part["images"].to_numpy(), part[column].to_numpy()
        thin, mark = max(len(values) // _THINNED, 1), "." if len(values) == 1 else ""
        ax.plot(images[::thin], values[::thin], color=color, linewidth=0.6, alpha=0.45)
        ax.plot(images, moving_average(values), color=color, linewidth=1.8, marker=mark)
    ax.set(ylabel=label, yscale="log" if log else "linear")
    images_axis(ax)
    return figure


def moving_average(values: np.ndarray) -> np.ndarray:
    """Centred mean over a tenth of the values, `_SMOOTHED` at most; the ends use what there is."""
    width = 2 * (min(max(len(values) // 10, 1), _SMOOTHED) // 2) + 3
    return pd.Series(values).rolling(width, center=True, min_periods=1).mean().to_numpy()


def label_curves(run: Run) -> HTML | Markdown:
    """Captioned AC losses, generated and real, of every label but pitch; or a sentence."""
    metrics = run.metrics()
    shown = [
        show(
            curve(metrics, f"{kind}_{label}_loss", "cross-entropy (nats)"),
            f"**AC loss of the {label}, {notes} notes.**",
            run,
            f"loss-{label}-{kind}",
            alt=f"The auxiliary classifier's loss of the {label} on {notes} notes against images "
            "seen, one colour a stage.",
        )
        for label in run.labels
        if label != "pitch"
        for kind, notes in (("fake", "generated"), ("real", "real"))
    ]
    if not shown:
        return Markdown("This run was given the pitch and nothing else, as in the paper.")
    return HTML("".join(figure.data for figure in shown))
