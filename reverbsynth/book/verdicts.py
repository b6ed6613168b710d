"""What became of the paper's claims, in sentences: of which recipe, and in how many seeds."""

from IPython.display import Markdown

from reverbsynth.book.chapters.training import deviations_from_paper
from reverbsynth.evaluation.claims import BEYOND, NOT_REPRODUCED, REPRODUCED
from reverbsynth.evaluation.report import Report, Verdict
from reverbsynth.training.run import Run

_VERBS = {"holds": ("holds", "hold"), "does not hold": ("does not hold", "do not hold")}


def recipe(run: Run) -> str:
    """Whose recipe a verdict is about: the paper's, or ours with its number of departures."""
    count = len(deviations_from_paper(run.settings))
    return f"our variant ({run.manifest['preset']}, {count} departures)" if count else "the paper's"


def in_words(verdict: Verdict) -> str:
    """A verdict as tables show it; what the paper only wishes for cannot be reproduced."""
    wished = {NOT_REPRODUCED: "does not hold"} if verdict.source == BEYOND else {}
    return {REPRODUCED: "holds", **wished}.get(verdict.verdict, verdict.verdict)


def verdict_counts(report: Report, run: Run) -> Markdown:
    """How many claims hold, of which recipe; what the paper's conclusion asks for apart."""
    asked_for = [verdict for verdict in report.verdicts if verdict.source == BEYOND]
    claimed = [verdict for verdict in report.verdicts if verdict.source != BEYOND]
    seeds = len(report.facts.get("training_seeds", ()))
    held = f"; what holds does so in each of {seeds} seeds" if seeds else ""
    return Markdown(
        f"The recipe is {recipe(run)}{held}. Of {len(claimed)} claims that the paper makes or "
        f"implies:\n\n{_by_verdict(claimed)}\n\n"
        f"Of {len(asked_for)} wishes of its conclusion that are judged by a number:\n\n"
        f"{_by_verdict(asked_for)}"
    )


def _by_verdict(verdicts: list[Verdict]) -> str:
    """A line for each verdict, such as ``- **2 hold**: *It plays*; *It falls*.``"""
    lines = []
    for word in dict.fromkeys(map(in_words, verdicts)):
        claims = [f"*{each.claim.rstrip('.')}*" for each in verdicts if in_words(each) == word]
        one, several = _VERBS.get(word, (f"is {word}", f"are {word}"))
        count = f"{len(claims)} {several if claims[1:] else one}"
        lines.append(f"- **{count}**: {'; '.join(claims)}.")
    return "\n".join(lines) or "- none was measured"
