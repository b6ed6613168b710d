"""What an instrument sounds like and where it falls short, in words from its evaluation."""

from collections.abc import Iterator

from IPython.display import Markdown

from reverbsynth.evaluation.claims import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED, missed
from reverbsynth.evaluation.report import Report

_OPENINGS = {
    "pitch": (
        "It plays the pitch that is asked for.",
        "It does not reliably play the pitch that is asked for.",
        "Whether it plays the pitch that is asked for could not be told.",
    ),
    "reverb": (
        "Its wet notes carry a reverb that decays as the data's does.",
        "That its wet notes carry the data's reverb is not shown.",
        "Whether its wet notes carry the data's reverb could not be told.",
    ),
    "both": (
        "It plays both, dry and wet.",
        "That it keeps dry and wet apart as the data do is not shown.",
        "Whether it plays both, dry and wet, could not be told.",
    ),
    "label": (
        "It can be asked for the effect, and changes as real notes do.",
        "That it changes with the asked effect as real notes do is not shown.",
        "Whether it can be asked for the effect could not be told.",
    ),
    "dial": (
        "The effect can be dialled.",
        "Between dry and wet the effect does not follow its dial steadily.",
        "Whether the effect can be dialled could not be told.",
    ),
    "similar": (
        "Its notes are about as near to real notes as the stage allows.",
        "That its notes sound like the data set is not shown.",
        "How near its notes are to real ones could not be told.",
    ),
    "tune": (
        "One latent vector holds its timbre over the pitches, so it can play a tune.",
        "That one latent vector holds its timbre and pitch over a tune is not shown.",
        "Whether one latent vector holds its timbre over the pitches could not be told.",
    ),
    "new": (
        "Its notes are new ones.",
        "That its notes are new ones, not copies, is not shown.",
        "Whether its notes are new is a question for an instrument that comes closer to real ones.",
    ),
}
"""By claim: how a paragraph begins where it holds, where the evidence falls short of the limits
(which is not evidence for the opposite), and where none can tell."""


def sounds_like(report: Report) -> Markdown:
    """What the instrument does, claim by claim: the verdict in words, and what was measured.

    A claim's verdict is the report's own, by limits that its settings stated in advance.
    """
    lines, short = [_subject(report)], missed(report)
    for verdict in report.verdicts:
        if verdict.key not in _OPENINGS:
            continue
        holds, fails, unknown = _OPENINGS[verdict.key]
        opening = {REPRODUCED: holds, NOT_TESTABLE: unknown}.get(verdict.verdict, fails)
        line = f"- **{opening}** {_evidence(report, verdict.key)}".rstrip()
        if verdict.verdict == NOT_REPRODUCED and short.get(verdict.key):
            line += " Asked for, and missed: "
            line += "; ".join(
                f"{each.rule} (the value meets it, not its whole interval)"
                if each.close
                else each.rule
                for each in short[verdict.key]
            )
            line += "."
        lines.append(line)
    return Markdown("\n".join(lines))


def _subject(report: Report) -> str:
    seen = report.facts.get("images_seen")
    after = f" after {seen:,} images" if seen else ""
    return (
        f"The instrument of stage {report.facts['stage']}{after}, in "
        f"{report.facts['notes']['generated']} notes. The *ceiling* is what real notes give "
        "through an image of the same size.\n"
    )


def _evidence(report: Report, claim: str) -> str:
    return " ".join(
        f"{text[0].upper()}{text[1:]}." for text in _measured(report, claim) if text is not None
    )


def _measured(report: Report, claim: str) -> Iterator[str | None]:
    wet = report.facts.get("wet")
    if claim == "pitch":
        yield _compared(report, "pitch.accuracy", "the listener hears the asked pitch in")
        yield _compared(report, "pitch.cents", "the estimated pitch is typically off by")
    elif claim == "reverb" and wet:
        yield _compared(report, f"reverb.decays.{wet}", "tails that decay:")
        yield _compared(report, f"reverb.t20.{wet}", "their T20:")
        yield _compared(report, f"reverb.ratio.{wet}", "tail against held note:")
    elif claim == "both":
        yield _compared(report, "effect.accuracy", "the listener hears the asked effect in")
        if wet:
            yield _compared(report, "effect.share", f"notes heard as {wet}:")
    elif claim == "label" and wet:
        yield _compared(report, f"paired.ratio.{wet}", "from dry to wet the tail changes by")
        yield _compared(report, "paired.heard", "switched, the asked effect is heard in")
    elif claim == "dial" and wet:
        yield _compared(report, f"dial.monotone.{wet}", "rank correlation of tail and dial:")
        yield _compared(report, f"dial.span.{wet}", "span of the tail:")
    elif claim == "similar":
        yield _compared(report, "spectrum.nearest", "distance to the nearest note of the pitch:")
        yield _compared(report, "spectrum.treble", "energy above 4 kHz:")
        yield _compared(report, "control.diversity", "timbres at one pitch differ by")
    elif claim == "tune":
        yield _compared(report, "control.pitch", "one timbre's pitches are heard right in")
        yield _compared(report, "control.tail", "the tail follows the timbre with an ICC of")
    elif claim == "new":
        yield _compared(report, "memory.training", "distance to the nearest training note:")
        yield _compared(report, "memory.copying", "nearer to training notes than the ceiling's:")


def _compared(report: Report, key: str, words: str) -> str | None:
    """``words 12.5 [0.0, 30.0] % (ceiling 100.0 %)``, or nothing where there is no such number."""
    if key not in report or not report[key].generated.known:
        return None
    row = report[key]
    unit = f"\u00a0{row.unit}" if row.unit else ""
    text = f"{words} {row.text('generated')}{unit}"
    if row.ceiling.known:
        text += f" (ceiling {row.text('ceiling')}{unit})"
    return text
