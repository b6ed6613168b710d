"""A recipe's further trainings, on the same notes or another split, that a results bundle keeps."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from reverbsynth.errors import RunError
from reverbsynth.evaluation import claims, curves
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.report import FILE, Report, Verdict
from reverbsynth.settings import ClaimSettings, differences
from reverbsynth.training.metrics import curve_names
from reverbsynth.training.run import MANIFEST, Run

FOLDER = "seeds"
_SAME = ("stage", "data_sha256", "seed", "settings")
_SEEDS = {"seed", "training.seed"}


def check_same_recipe(run: Run, other: Run) -> None:
    """Refuse a run that differs from another in more than its seeds, or in none of them."""
    changed = differences(run.settings, other.settings)
    changed["last stage"] = (run.stages[-1], other.stages[-1])
    for name in sorted(changed.keys() - _SEEDS):
        old, new = changed[name]
        if old != new:
            found = f"{other.directory}: {name}: found {new}"
            raise RunError(f"{found}, expected {old}, as the run has")
    seeds = [(each.settings.seed, each.settings.training_seed) for each in (run, other)]
    if seeds[0] == seeds[1]:
        found = f"{other.directory}: found the run's seed {seeds[1][0]}"
        raise RunError(f"{found} and training.seed {seeds[1][1]}, expected another")


def with_seeds(report: Report, run: Run) -> Report:
    """Return a run's report with the measures and verdicts of all its seeds on the same data."""

    def key(report: Report) -> list:
        return [report.facts.get(name) for name in _SAME]

    others = [(other, kept) for other, kept in _kept(run) if key(kept) == key(report)]
    if not others:
        return report
    runs, reports = [run, *(other for other, _ in others)], [report, *(kept for _, kept in others)]
    facts = {**report.facts, "training_seeds": [each.manifest["seed"] for each in runs]}
    rows = [
        replace(row, generated=together([each[row.key].generated for each in reports]))
        for row in report.rows
        if all(row.key in each for each in reports)
    ]
    combined = replace(report, facts=facts, rows=rows)
    combined.verdicts = _verdicts(combined, reports, least_changes(runs))
    return combined


def other_splits(report: Report, run: Run) -> list[Report]:
    """Return the reports that a bundle keeps on other splits of the notes."""
    data = report.facts["data_sha256"]
    return [kept for _, kept in _kept(run) if kept.facts["data_sha256"] != data]


def together(measures: Sequence[Measure]) -> Measure:
    """Return the mean of several seeds, with an interval that holds theirs, or a missing one."""
    if unknown := [measure for measure in measures if not measure.known]:
        return unknown[0]
    values = tuple(measure.value for measure in measures if measure.value is not None)
    low = min((m.low for m in measures if m.low is not None), default=None)
    high = max((m.high for m in measures if m.high is not None), default=None)
    notes = min(measure.notes for measure in measures)
    return Measure(float(np.mean(values)), low, high, notes, seeds=values)


def least_changes(runs: Sequence[Run]) -> pd.DataFrame:
    """Compare beginning and end of the AC and GL losses, each in the run where it fell least."""
    parts = []
    for run in runs:
        metrics = run.metrics()
        names = [name for name in curve_names(run.labels) if name.startswith(("fake_", "real_"))]
        parts.append(curves.changes(metrics, [n for n in names if metrics[n].count() > 1]))
    changes = pd.concat(parts)
    falls = (changes["last"] / changes["first"]).to_numpy()
    chosen = changes.iloc[np.argsort(-falls, kind="stable")]
    return chosen[~chosen.index.duplicated()].loc[parts[0].index]


def _kept(run: Run) -> list[tuple[Run, Report]]:
    """Return the further trainings that a run's directory keeps, with their reports."""
    paths = sorted((run.directory / FOLDER).glob(f"*/{MANIFEST}"))
    return [(Run.open(path.parent), Report.load(path.parent / FILE)) for path in paths]


def _verdicts(combined: Report, reports: Sequence[Report], losses: pd.DataFrame) -> list[Verdict]:
    """Judge the combined measures, and count the seeds in which each claim holds."""
    limits = ClaimSettings(**combined.facts["settings"]["claims"])
    by_seed = [{verdict.key: verdict for verdict in report.verdicts} for report in reports]
    judged = []
    for verdict in claims.verdicts(combined, limits, losses):
        kept = [each.get(verdict.key, verdict) for each in by_seed]
        hold = sum(each.verdict == claims.HOLDS for each in kept)
        evidence = f"in {hold} of {len(kept)} seeds; {verdict.evidence}"
        # What representations lose depends on the notes, and on no network.
        untested = all(each.verdict == claims.NOT_TESTED for each in kept)
        alike = verdict.key == "representation" or untested
        judged.append(kept[0] if alike else replace(verdict, evidence=evidence))
    return judged
