"""AC losses of labels that the paper had not (chapter 5)."""

from IPython.display import HTML, Markdown

from reverbsynth.figures.captions import show
from reverbsynth.figures.training import curve
from reverbsynth.runs import Run


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
