"""How near a run has to come to the published one: expected values and their tolerances."""

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.report import Report, Row


class Held(NamedTuple):
    """How a measure of generated notes is held: the tolerance where one seed is published, and
    what is better: more, less, or nearer to the real notes' value.
    """

    judged: float
    better: Literal["more", "less", "near"]


HEADLINE = {
    "pitch.accuracy": Held(0.10, "more"),
    "pitch.within": Held(0.10, "more"),
    "pitch.cents": Held(5.0, "less"),
    "effect.accuracy": Held(0.10, "more"),
    "effect.share": Held(0.15, "near"),
    "reverb.ratio.{wet}": Held(4.0, "near"),
    "reverb.t20.{wet}": Held(0.25, "near"),
    "paired.ratio.{wet}": Held(3.0, "near"),
    "spectrum.nearest": Held(1.5, "less"),
    "spectrum.treble": Held(6.0, "near"),
    "distribution.kernel": Held(0.25, "less"),
    "memory.copying": Held(0.15, "less"),
}
"""By measure of the generated notes, how it is held; set before any reproduction was tried."""


def headline(report: Report) -> dict[str, Held]:
    """Return what a report has a number for, by key."""
    named = {key.format(wet=report.facts["wet"]): held for key, held in HEADLINE.items()}
    known = (key for key in named if key in report and report[key].generated.known)
    return {key: named[key] for key in known}


def tolerance(row: Row, held: Held) -> float:
    """Return how far another training of the recipe may be from a row's number.

    Of n seeds it follows from them: half of the 95 % prediction interval of one more seed, which is
    Student's t times their standard deviation times the root of 1 + 1/n. Seeds may agree by chance,
    so the interval over notes takes the deviation's place where it is wider. Of one seed the
    tolerance is a judgement.
    """
    measure, count = row.generated, len(row.generated.seeds)
    if count < 2 or measure.low is None or measure.high is None:
        return held.judged
    spread = stats.t.ppf(0.975, count - 1) * np.std(measure.seeds, ddof=1)
    # The interval of several seeds holds those of all, each of which reaches beyond its own value.
    of_notes = max(min(measure.seeds) - measure.low, measure.high - max(measure.seeds))
    return float(max(spread, of_notes) * np.sqrt(1 + 1 / count))


def compare(expected: Report, found: Report) -> pd.DataFrame:
    """Return a row for each measure: what was expected and found, and whether that is near."""
    rows = {}
    for key, held in headline(expected).items():
        row, scale = expected[key], 100 if expected[key].unit == "%" else 1
        limit = tolerance(row, held)
        other = found[key].generated if key in found else Measure(missing_reason="missing")
        value = row.generated.value or 0.0
        near = other.value is not None and abs(other.value - value) <= limit
        cells = [f"{scale * value:.{row.digits}f}", f"± {scale * limit:.3g}"]
        rows[row.title] = [*cells, other.text(row.digits, scale), near]
    columns = ["expected", "tolerance", "found", "within"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("measure")


def better_throughout(report: Report, than: Report) -> bool:
    """Return whether a report is at least as good as another in every headline measure of it."""
    rows = headline(than).items()
    return bool(rows) and all(
        key in report and _cost(report[key], held) <= _cost(than[key], held) for key, held in rows
    )


def _cost(row: Row, held: Held) -> float:
    """A number that is lower the better: of a share, of an error, or from the real notes."""
    value = row.generated.value
    if value is None:
        return np.inf
    apart = abs(value - (row.real.value or 0.0))
    return {"more": -value, "less": value, "near": apart}[held.better]
