"""What became of the paper's claims, as lists: of which recipe, and in how many seeds."""

from IPython.display import Markdown

from reverbsynth.book.chapters.training import deviations_from_paper
from reverbsynth.evaluation.claims import BEYOND, VERDICTS
from reverbsynth.evaluation.report import Report
from reverbsynth.training.run import Run


def recipe(run: Run) -> str:
    """Whose recipe a verdict is about: the paper's, or ours with its number of departures."""
    count = len(deviations_from_paper(run.settings))
    departures = f"[{count} departures](04_training.ipynb#where-this-run-departs-from-the-paper)"
    return f"our variant ({run.manifest['preset']}, {departures})" if count else "the paper's"


def verdict_counts(report: Report, run: Run) -> Markdown:
    """The claims by verdict, and those wishes of the paper's conclusion that have limits."""
    seeds = len(report.facts.get("training_seeds", ()))
    held = f"; what holds does so in each of {seeds} seeds" if seeds else ""
    lines = []
    for title, wished in (
        ("Claims that the paper makes or implies:", False),
        ("Wishes of its conclusion:", True),
    ):
        lines += ["", title, ""]
        listed = [v for v in report.verdicts if (v.source == BEYOND) == wished]
        for word in reversed(VERDICTS):
            claims = [f"*{v.claim.rstrip('.')}*" for v in listed if v.verdict == word]
            lines += [f"- **{word}** ({len(claims)}): {'; '.join(claims)}"] if claims else []
    return Markdown("\n".join([f"The recipe is {recipe(run)}{held}.", *lines]))
