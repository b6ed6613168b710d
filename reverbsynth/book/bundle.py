"""A results bundle: what a book needs of a finished training, in a few megabytes.

``book/results/README.md`` says what each file is. `reverbsynth.training.run.Run.open` and
`reverbsynth.instrument.instrument.Instrument.from_run` read it like a run directory.
"""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pandas as pd

from reverbsynth import provenance
from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import ReverbSynthError, RunError
from reverbsynth.evaluation.effect_transfer import FILE as TRIALS
from reverbsynth.evaluation.effect_transfer import apply_to_held_out
from reverbsynth.evaluation.evaluate import evaluate
from reverbsynth.evaluation.report import FILE, Report
from reverbsynth.evaluation.seeds import FOLDER as SEEDS
from reverbsynth.evaluation.seeds import check_same_recipe
from reverbsynth.files.atomic import atomic_path, put_back, replacing, write_json, write_text
from reverbsynth.files.reading import sha256
from reverbsynth.instrument.card import CARD, card
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.training.run import INSTRUMENT, MANIFEST, SETTINGS, Run

FORMAT = 1
LARGEST_FILE, LARGEST_BUNDLE = 20_000_000, 40_000_000  #: bytes that a repository can carry
ROWS, SEED_ROWS = 400, 40  #: of the metrics, kept of a stage; of a further seed's
SAMPLES = 6  #: real images kept of a stage, and as many generated ones
_AT_END = ("images", "stage", "blend", "seconds")  # columns that say how far training is


def bundle(
    run: Run | Path | str,
    directory: Path | str,
    data: DataSet | Path | str | None = None,
    samples: int = SAMPLES,
    replace: bool = False,
    seeds: Sequence[Run | Path | str] = (),
) -> Run:
    """Write a run's results bundle, all of it or nothing, and open it.

    The directory's name is the name of the results. The data, by default those of the training,
    are needed where the run has no report yet. Of each stage so many ``samples`` are kept, real and
    generated. ``seeds`` are further runs of the same settings but for ``training.seed``, whose
    numbers count in every table and verdict, or for ``seed``, another split, shown apart.
    RunError is raised for a directory in use, unless a bundle to ``replace``, and for large files.
    """
    run, *others = (each if isinstance(each, Run) else Run.open(each) for each in (run, *seeds))
    directory = Path(directory)
    for each in (run, *others):
        if each.bundled:
            raise RunError(f"{each.directory}: a results bundle, expected a run's own directory")
    further = _by_name(run, others)
    if directory.name in ("", ".."):
        raise RunError(f"{directory}: is a place, expected the name of a bundle")
    for partial in directory.parent.glob(f".{directory.stem}.*.partial{directory.suffix}"):
        shutil.rmtree(partial, ignore_errors=True)
    put_back(directory)
    _check_free(directory, replace)
    instrument = Instrument.from_run(run)
    source = run.data_directory if data is None else data
    evaluate(run, source, allow_other_data=True)
    apply_to_held_out(run, source, allow_other_data=True)
    for other in others:
        same_notes = other.manifest["data_sha256"] == run.manifest["data_sha256"]
        measured_on = source if same_notes else other.data_directory
        limits = run.settings.evaluation.model_dump(mode="json")
        own = other.settings.replace(evaluation=limits)
        evaluate(other, measured_on, own)
        if same_notes:
            apply_to_held_out(other, measured_on, own)
    with ExitStack() as at_the_end, atomic_path(directory) as folder:
        _keep_metrics(run, folder, ROWS, "%.8g")
        for stage in run.stages:
            kept = run.samples(stage).subset(samples)
            kept.save(folder / "stages" / f"{stage:02d}" / "samples.npz", np.float16)
        for report in run.directory.glob("*.json"):
            if report.name != MANIFEST:
                shutil.copyfile(report, folder / report.name)
        for name, other in further.items():
            _keep_seed(other, folder / SEEDS / name)
        instrument.save(folder / INSTRUMENT, float16=True)
        write_text(folder / CARD, card(instrument, directory.name, run))
        write_json(folder / MANIFEST, _manifest(run, folder))
        _check_sizes(folder, directory)
        at_the_end.enter_context(replacing(directory))
    return Run.open(directory)


def check(run: Run) -> None:
    """Raise RunError for a bundle with a file that is missing, changed or too large."""
    for name, expected in run.manifest["bundle"]["files"].items():
        path = run.directory / name
        if (digest := sha256(path)) != expected:
            raise RunError(f"{path}: has SHA-256 {digest[:12]}…, {MANIFEST} says {expected[:12]}…")
    _check_sizes(run.directory, run.directory)


def thinned(metrics: pd.DataFrame, rows: int = ROWS) -> pd.DataFrame:
    """Average the metrics over equal numbers of steps, to at most ``rows`` rows a stage.

    A row has the images, blend and seconds at the end of its ``steps``, and the mean of every loss
    over those that measured it.
    """
    parts = []
    for _, part in metrics.groupby("stage", sort=True):
        steps = -(-len(part) // rows)
        grouped = part.groupby(np.arange(len(part)) // steps)
        at_end = [name for name in _AT_END if name in part]
        means = grouped[[name for name in part.columns if name not in at_end]].mean()
        parts.append(grouped[at_end].last().join(grouped.size().rename("steps")).join(means))
    return pd.concat(parts, ignore_index=True)


def _check_free(directory: Path, replace: bool) -> None:
    """Refuse a directory in use; a bundle may be replaced."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    is_bundle = False
    with suppress(ReverbSynthError):
        is_bundle = Run.open(directory).bundled
    if not is_bundle:
        raise RunError(f"{directory}: no results bundle, expected one or a new directory")
    if not replace:
        raise RunError(f"{directory}: a results bundle is there; --replace writes it anew")


def _by_name(run: Run, others: Sequence[Run]) -> dict[str, Run]:
    """Name further runs of a run's recipe by their seeds; refuse any that is none, or is there."""
    runs: dict[str, Run] = {}
    for other in others:
        check_same_recipe(run, other)
        name = f"{other.settings.seed}-{other.settings.training_seed}"
        if name in runs:
            raise RunError(f"{other.directory}: has the seeds of {runs[name].directory}")
        runs[name] = other
    return runs


def _keep_seed(run: Run, folder: Path) -> None:
    """The numbers of a further seed: its report without what only figures need, a few metrics."""
    _keep_metrics(run, folder, SEED_ROWS, "%.5g")
    report = Report.load(run.directory / FILE)
    Report(report.facts, report.rows, report.verdicts).save(folder / FILE)
    if (trials := run.directory / TRIALS).exists():
        shutil.copyfile(trials, folder / TRIALS)
    write_json(folder / MANIFEST, _manifest(run, folder, SEED_ROWS))


def _keep_metrics(run: Run, folder: Path, rows: int, digits: str) -> None:
    """Begin the folder of a run with its settings and its thinned metrics."""
    folder.mkdir(parents=True)
    write_text(folder / SETTINGS, run.settings.to_yaml())
    metrics = thinned(run.metrics(), rows)
    metrics.to_csv(folder / "metrics.csv", index=False, float_format=digits)


def _manifest(run: Run, folder: Path, rows: int = ROWS) -> dict:
    """The run's manifest without its machine's folders, and what the bundle is."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        **{key: value for key, value in run.manifest.items() if key != "data_directory"},
        "dirty": str(run.manifest["commit"]).endswith("+"),
        "bundle": {
            "format": FORMAT,
            "commit": provenance.commit(),
            "settings": sha256(folder / SETTINGS),
            "metrics": f"means over equal numbers of steps, at most {rows} rows a stage",
            "files": {path.relative_to(folder).as_posix(): sha256(path) for path in files},
        },
    }


def _check_sizes(folder: Path, directory: Path) -> None:
    """Refuse a bundle too large for a repository; messages name the directory it is meant for."""
    total = 0
    for path in filter(Path.is_file, folder.rglob("*")):
        total += (size := path.stat().st_size)
        if size > LARGEST_FILE:
            path = directory / path.relative_to(folder)
            raise RunError(f"{path}: {size:,} bytes, expected at most {LARGEST_FILE:,}")
    if total > LARGEST_BUNDLE:
        raise RunError(f"{directory}: {total:,} bytes in all, expected at most {LARGEST_BUNDLE:,}")
