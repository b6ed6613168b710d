"""Chapter 11: the numbers of a run, how far another may be from them, and what is published."""

import pandas as pd

from reverbsynth.book.captions import listed
from reverbsynth.book.chapters.training import deviations_from_paper, run_facts
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
        report = kept_report(run)
        facts = run_facts(run).set_index("")[" "].drop(["data (SHA-256)", "versions"]).to_dict()
        seeds = report.facts.get("training_seeds", [run.manifest["seed"]])
        facts["seed"] = f"{len(seeds)}: {listed(seeds)}"
        facts["departures from the paper"] = str(len(deviations_from_paper(run.settings)))
        facts["last stage"] = str(run.stages[-1])
        scores = {report[key].title: report[key].text("generated") for key in headline(report)}
        columns[run.directory.name] = facts | scores
    renamed = {"seed": "seeds of training", "training time": "time of one training"}
    return pd.DataFrame(columns).fillna("").rename(renamed).rename_axis("")
