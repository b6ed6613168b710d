"""What became of the paper's claims, in sentences: of which recipe, and in how many seeds."""

from IPython.display import Markdown

from reverbsynth.book.captions import listed
from reverbsynth.book.chapters.training import deviations_from_paper
from reverbsynth.evaluation.claims import BEYOND, REPRODUCED
from reverbsynth.evaluation.report import Report, Verdict
from reverbsynth.training.run import Run


def recipe(run: Run) -> str:
    """Whose recipe a verdict is about: the paper's, or ours with its number of departures."""
    count = len(deviations_from_paper(run.settings))
    return f"our variant ({run.manifest['preset']}, {count} departures)" if count else "the paper's"


def verdict_counts(report: Report, run: Run) -> Markdown:
    """How many claims hold, of which recipe; what the paper's conclusion asks for apart."""
    asked_for = [verdict for verdict in report.verdicts if verdict.source == BEYOND]
    claimed = [verdict for verdict in report.verdicts if verdict.source != BEYOND]
    seeds = len(report.facts.get("training_seeds", ()))
    held = f"; what holds does so in each of {seeds} seeds" if seeds else ""
    return Markdown(
        f"Of {len(claimed)} claims that the paper makes or implies, {_by_verdict(claimed)}. "
        f"Of {len(asked_for)} wishes of its conclusion that have limits, {_by_verdict(asked_for)}. "
        f"The recipe is {recipe(run)}{held}."
    )


def _by_verdict(verdicts: list[Verdict]) -> str:
    """Counts such as ``2 hold (*It plays* and *It falls*); 1 is not reproduced (*It rings*)``."""
    parts = []
    for word in dict.fromkeys(verdict.verdict for verdict in verdicts):
        claims = [f"*{each.claim.rstrip('.')}*" for each in verdicts if each.verdict == word]
        one, several = ("holds", "hold") if word == REPRODUCED else (f"is {word}", f"are {word}")
        parts.append(f"{len(claims)} {several if claims[1:] else one} ({listed(claims)})")
    return "; ".join(parts) or "none was measured"
