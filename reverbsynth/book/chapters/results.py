"""Chapter 11: the numbers of a run, how far another may be from them, and what is published."""

import pandas as pd

from reverbsynth.book.chapters.training import deviations_from_paper
from reverbsynth.evaluation.evaluate import kept_report
from reverbsynth.evaluation.report import Report
from reverbsynth.evaluation.reproduction import headline, tolerance
from reverbsynth.training.run import Run


def headline_table(report: Report) -> pd.DataFrame:
    """The measures that a reproduction is held to, with their tolerances."""
    rows = {}
    for key, held in headline(report).items():
        row = report[key]
        scale = 100 if row.unit == "%" else 1
        cells = map(row.text, ("real", "ceiling", "generated"))
        rows[row.title] = [*cells, f"± {scale * tolerance(row, held):.3g}"]
    columns = ["real", "through an image", "generated", "tolerance"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("measure")


def published(runs: list[Run]) -> pd.DataFrame:
    """What each run is, what it took and what its generated notes scored, a column for each."""
    columns = {}
    for run in runs:
        report, made = kept_report(run), run.manifest
        facts = {
            "preset": f"{made['preset']}, {len(deviations_from_paper(run.settings))} departures",
            "last stage": str(run.stages[-1]),
            "labels": ", ".join(f"{name} ({len(values)})" for name, values in run.labels.items()),
            "seeds of training": str(len(report.facts.get("training_seeds", [made["seed"]]))),
            "hardware": f"{made.get('device', '?')}, {made.get('cores', '?')} cores",
            "minutes of a training": f"{made['wall_seconds'] / 60:.0f}",
            "images seen": f"{made['images_seen']:,}",
            "commit": made["commit"],
        }
        scores = {report[key].title: report[key].text("generated") for key in headline(report)}
        columns[run.directory.name] = facts | scores
    return pd.DataFrame(columns).fillna("").rename_axis("")
