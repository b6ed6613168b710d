"""How near a run has to come to the published one: expected values and their tolerances."""

import pandas as pd

from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.report import Report

TOLERANCES = {
    "pitch.accuracy": 0.10,
    "pitch.within": 0.10,
    "pitch.cents": 5.0,
    "effect.accuracy": 0.10,
    "effect.share": 0.15,
    "reverb.ratio.{wet}": 4.0,
    "reverb.t20.{wet}": 0.25,
    "paired.ratio.{wet}": 3.0,
    "spectrum.nearest": 1.5,
    "spectrum.treble": 6.0,
    "distribution.kernel": 0.25,
    "memory.copying": 0.15,
}
"""By measure of the generated notes: how far another training of the recipe, with any seed and on
any machine, may be from the published number."""


def tolerances(report: Report) -> dict[str, float]:
    """Return the tolerances of what a report has a number for, by key."""
    named = {key.format(wet=report.facts["wet"]): limit for key, limit in TOLERANCES.items()}
    return {
        key: limit for key, limit in named.items() if key in report and report[key].generated.known
    }


def compare(expected: Report, found: Report) -> pd.DataFrame:
    """Return a row for each measure: what was expected and found, and whether that is near."""
    rows = {}
    for key, limit in tolerances(expected).items():
        row, scale = expected[key], 100 if expected[key].unit == "%" else 1
        other = found[key].generated if key in found else Measure(missing_reason="missing")
        value = row.generated.value or 0.0
        near = other.value is not None and abs(other.value - value) <= limit
        cells = [f"{scale * value:.{row.digits}f}", f"± {scale * limit:g}"]
        rows[row.title] = [*cells, other.text(row.digits, scale), near]
    columns = ["expected", "tolerance", "found", "within"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("measure")
