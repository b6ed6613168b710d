"""What an instrument sounds like and where it falls short, in words from its evaluation."""

from IPython.display import Markdown

from reverbsynth.book.captions import listed
from reverbsynth.book.chapters.training import deviations_from_paper
from reverbsynth.evaluation.claims import BEYOND, NOT_TESTABLE, REPRODUCED
from reverbsynth.evaluation.report import Report, Verdict
from reverbsynth.training.run import Run

_OPENINGS = {
    "pitch": (
        "It plays the pitch that is asked for.",
        "It does not reliably play the pitch that is asked for.",
        "Whether it plays the pitch that is asked for could not be told.",
    ),
    "reverb": (
        "Its wet notes carry a reverb that decays as the data's does.",
        "Not shown: that its wet notes carry the data's reverb.",
        "Whether its wet notes carry the data's reverb could not be told.",
    ),
    "both": (
        "It plays both, dry and wet.",
        "Not shown: that it keeps dry and wet apart as the data do.",
        "Whether it plays both, dry and wet, could not be told.",
    ),
    "label": (
        "It can be asked for the effect, and changes as real notes do.",
        "Not shown: that it changes with the asked effect as real notes do.",
        "Whether it can be asked for the effect could not be told.",
    ),
    "dial": (
        "The effect can be dialled.",
        "Between dry and wet the effect does not follow its dial steadily.",
        "Whether the effect can be dialled could not be told.",
    ),
    "similar": (
        "Its notes are about as near to real notes as the stage allows.",
        "Not shown: that its notes sound like the data set.",
        "How near its notes are to real ones could not be told.",
    ),
    "tune": (
        "One latent vector holds its timbre over the pitches, so it can play a tune.",
        "Not shown: that one latent vector holds its timbre and pitch over a tune.",
        "Whether one latent vector holds its timbre over the pitches could not be told.",
    ),
    "new": (
        "Its notes are new ones.",
        "Not shown: that its notes are new ones, not copies,.",
        "Whether its notes are new is a question for an instrument that comes closer to real ones.",
    ),
}
"""By claim: how a paragraph begins where it holds, where the evidence falls short of the limits
(which is not evidence for the opposite), and where none can tell."""


def sounds_like(report: Report) -> Markdown:
    """What the instrument does, claim by claim: the verdict in words, and what was measured.

    A claim's verdict is the report's own, by limits that its settings stated in advance.
    """
    seen = report.facts.get("images_seen")
    after = f" after {seen:,} images" if seen else ""
    lines = [
        f"The instrument of stage {report.facts['stage']}{after}, in "
        f"{report.facts['notes']['generated']} notes. The *ceiling* is what real notes give "
        "through an image of the same size.\n"
    ]
    for verdict in report.verdicts:
        if verdict.key not in _OPENINGS:
            continue
        holds, fails, unknown = _OPENINGS[verdict.key]
        opening = {REPRODUCED: holds, NOT_TESTABLE: unknown}.get(verdict.verdict, fails)
        line = f"- **{opening}** {verdict.evidence[:1].upper()}{verdict.evidence[1:]}."
        if verdict.missed:
            line += f" Asked for, and missed: {'; '.join(verdict.missed)}."
        lines.append(line)
    return Markdown("\n".join(lines))


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
        f"Of {len(asked_for)} things that its conclusion asks for, {_by_verdict(asked_for)}. "
        f"The recipe is {recipe(run)}{held}."
    )


def _by_verdict(verdicts: list[Verdict]) -> str:
    """Counts such as ``2 hold (*It plays* and *It falls*); 1 is not reproduced (*It rings*)``."""
    groups: dict[str, list[str]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.verdict, []).append(f"*{verdict.claim.rstrip('.')}*")
    parts = []
    for word, claims in groups.items():
        one, several = ("holds", "hold") if word == REPRODUCED else (f"is {word}", f"are {word}")
        count = len(claims)
        parts.append(f"{count} {several if count > 1 else one} ({listed(claims)})")
    return "; ".join(parts) or "none was measured"
