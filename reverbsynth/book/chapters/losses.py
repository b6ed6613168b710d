"""AC losses of labels that the paper had not (chapter 5)."""

from IPython.display import HTML, Markdown
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reverbsynth.book.captions import show
from reverbsynth.book.curves import curve
from reverbsynth.book.style import canvas, stage_color, style
from reverbsynth.gan.schedule import (
    is_transition,
    stage_resolution,
)
from reverbsynth.training.run import Run


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
        return Markdown("This run was told the pitch and nothing else, as in the paper.")
    return HTML("".join(figure._repr_html_() for figure in shown))


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
