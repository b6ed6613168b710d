"""Chapter 11: all numbers of a run, and how far another run may be from them."""

import pandas as pd

from reverbsynth.evaluation.report import Report
from reverbsynth.evaluation.reproduction import tolerances


def headline(report: Report) -> pd.DataFrame:
    """The measures that a reproduction is held to, with their tolerances."""
    rows = {}
    for key, tolerance in tolerances(report).items():
        row = report[key]
        scale = 100 if row.unit == "%" else 1
        cells = map(row.text, ("real", "ceiling", "generated"))
        rows[row.title] = [row.group, *cells, f"± {scale * tolerance:g}"]
    columns = ["group", "real", "through an image", "generated", "tolerance"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("measure")
