"""Several trainings of one recipe: their measures together, and verdicts that rest on all of them.

A results bundle keeps the numbers of further trainings of its recipe in its folder ``seeds``: of
other seeds of training on the same notes, and of other splits of the notes.
"""

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
"""Name of the folder of further trainings in a results bundle."""

_SAME = ("stage", "data_sha256", "seed", "settings")
_SEEDS = {"seed", "training.seed"}


def check_same_recipe(run: Run, other: Run) -> None:
    """Refuse a run that differs from another in more than its seeds, or in none of them."""
    changed = differences(run.settings, other.settings)
    if more := sorted(changed.keys() - _SEEDS):
        old, new = changed[more[0]]
        raise RunError(f"{other.directory}: {more[0]}: found {new}, expected {old}, as the run has")
    seeds = [(each.settings.seed, each.settings.training_seed) for each in (run, other)]
    if seeds[0] == seeds[1]:
        raise RunError(
            f"{other.directory}: found the run's seed {seeds[1][0]} and training.seed "
            f"{seeds[1][1]}, expected another"
        )
    if run.stages[-1] != other.stages[-1]:
        raise RunError(
            f"{other.directory}: found stage {other.stages[-1]} as its last, "
            f"expected {run.stages[-1]}, as the run has"
        )


def with_seeds(report: Report, run: Run | None) -> Report:
    """Return a run's report with the measures and verdicts of all its seeds.

    Reports on other data or by other settings, such as those on another split, are left out.
    """
    others = [(other, kept) for other, kept in _kept(run) if _key(kept) == _key(report)]
    if run is None or not others:
        return report
    runs, reports = [run, *(other for other, _ in others)], [report, *(kept for _, kept in others)]
    seeds = [each.manifest["seed"] for each in runs]
    facts = {**report.facts, "training_seeds": seeds}
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
    """Combine the measures of several seeds, or return one that is missing.

    The value is their mean, and the interval holds the interval of every seed, so that it lies
    within limits only where each of them does.
    """
    missing = [measure for measure in measures if not measure.known]
    if missing:
        return missing[0]
    values = tuple(measure.value for measure in measures if measure.value is not None)
    bounds = [(m.low, m.high) for m in measures if m.low is not None and m.high is not None]
    low = min((low for low, _ in bounds), default=None)
    high = max((high for _, high in bounds), default=None)
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


def _kept(run: Run | None) -> list[tuple[Run, Report]]:
    """Return the further trainings that a run's directory keeps, with their reports."""
    paths = sorted((run.directory / FOLDER).glob(f"*/{MANIFEST}")) if run else []
    return [(Run.open(path.parent), Report.load(path.parent / FILE)) for path in paths]


def _key(report: Report) -> list:
    return [report.facts.get(name) for name in _SAME]


def _verdicts(combined: Report, reports: Sequence[Report], losses: pd.DataFrame) -> list[Verdict]:
    """Judge the combined measures, and count the seeds in which each claim holds by itself."""
    limits = ClaimSettings(**combined.facts["settings"]["claims"])
    by_seed = [{verdict.key: verdict for verdict in report.verdicts} for report in reports]
    judged = []
    for verdict in claims.verdicts(combined, limits, losses):
        kept = [each.get(verdict.key, verdict) for each in by_seed]
        hold = sum(each.verdict == claims.REPRODUCED for each in kept)
        evidence = f"in {hold} of {len(kept)} seeds; {verdict.evidence}"
        # What representations lose depends on the notes, and on no network.
        of_notes = verdict.key == "representation"
        judged.append(kept[0] if of_notes else replace(verdict, evidence=evidence))
    return judged
