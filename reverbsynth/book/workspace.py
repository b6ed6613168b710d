"""Find or make: the data and the run that the notebooks of the book share.

Folders are named by settings and code: after a change of either, none shows results of the old.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from reverbsynth.data.build import build_data, data_hash
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import Note
from reverbsynth.errors import ReverbSynthError, SettingsError
from reverbsynth.evaluation.effect_transfer import TransferTrials, apply_to_held_out
from reverbsynth.evaluation.evaluate import evaluate
from reverbsynth.evaluation.report import Report
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.provenance import code_hash
from reverbsynth.seeds import evenly_spaced
from reverbsynth.settings import Settings, SoundFontSource, parse_overrides
from reverbsynth.training.run import MANIFEST, Run

SMOKE_PRESETS = ("tiny",)  #: their runs show that the machinery works and nothing else
_CHECKOUT = Path(__file__).resolve().parents[2]
RESULTS = _CHECKOUT / "book" / "results"  #: of a checkout; an installed wheel has none
SHOWN = "laptop"  #: the bundle that the book shows, of those that are there


@dataclass(frozen=True)
class Workspace:
    """Settings, and what is made with them in ``directory`` when it is first asked for.

    ``data_settings`` differ from the run's only for a given run whose sounds are not on this
    machine: then the embedded sounds stand in. Without a given run, one is trained. ``given_data``
    is the data set that a given run was trained on, where its sounds do not come with the package.
    """

    settings: Settings
    data_settings: Settings
    given_run: Path | None
    directory: Path
    given_data: Path | None = None

    @property
    def data_directory(self) -> Path:
        """Where the data set is kept."""
        name = f"{data_hash(self.data_settings)}-{code_hash()}"
        return self.given_data or self.directory / "data" / name

    @property
    def run_directory(self) -> Path:
        """Where the run is kept."""
        name = f"{self.settings.name}-{self.settings.hash}-{code_hash()}"
        return self.given_run or self.directory / "runs" / name

    @cached_property
    def data(self) -> DataSet:
        """The data set, built if it is not there yet (`reverbsynth.build_data`)."""
        if self.given_data is not None:
            return DataSet.open(self.given_data)
        with _alone(self.data_directory):
            return build_data(self.data_settings, self.data_directory)

    @cached_property
    def run(self) -> Run:
        """The run: the given one, or one that is trained now if it is not there yet."""
        if self.given_run is not None:
            return Run.open(self.given_run)
        from reverbsynth.training.train import train

        data = self.data
        with _alone(self.run_directory):
            return train(self.settings, data, self.run_directory)

    @cached_property
    def instrument(self) -> Instrument:
        """The run's instrument, after its last stage."""
        return Instrument.from_run(self.run)

    @cached_property
    def report(self) -> Report:
        """The run's evaluation: the one it keeps, or made now."""
        return evaluate(self.run, self.data, self.settings, allow_other_data=True)

    @cached_property
    def trials(self) -> TransferTrials:
        """The run's effects applied to held-out notes: the trials it keeps, or made now."""
        return apply_to_held_out(self.run, self.data, self.settings, allow_other_data=True)

    @cached_property
    def published(self) -> list[Run]:
        """The run, and where it comes with the checkout, the other bundles that do."""
        shown = self.run.directory
        beside = bundles().values() if shown.parent == RESULTS else ()
        return [self.run, *(Run.open(path) for path in beside if path != shown)]

    @property
    def smoke(self) -> bool:
        """Whether the run only shows that everything works."""
        return self.settings.name in SMOKE_PRESETS

    def twins(self, count: int, split: str = "train") -> list[dict[str, Note]]:
        """A few source notes, evenly spaced in pitch, each with its twins by effect."""
        origins = sorted({(row["pitch"], row["origin"]) for row in self.data.index(split)})
        chosen = evenly_spaced(len(origins), count, ends=False)
        pairs: dict[str, dict[str, Note]] = {origins[index][1]: {} for index in chosen}
        for note in self.data.notes(split):
            if note.origin in pairs:
                pairs[note.origin][note.effect] = note
        return list(pairs.values())


def workspace(
    preset: str | Path | None = "",
    run: str | Path | int | None = "",
    overrides: Mapping[str, Any] | str | None = None,
) -> Workspace:
    """What the notebooks begin with: a preset or a settings file, with overrides, or a finished run
    to show; the run that comes with the book where nothing is named.

    Parameters from papermill's command line are taken as well: overrides as JSON or YAML, and a run
    named by digits. Overrides without a preset are of ``tiny``; a finished run takes none.

    >>> workspace("tiny", overrides={"seed": 3}).settings.seed
    3
    """
    if isinstance(overrides, str):
        overrides = parse_overrides([f"overrides={overrides}"])["overrides"]
    if not isinstance(overrides, Mapping | None):
        raise SettingsError(f"overrides: found {overrides!r}, expected such as {{'seed': 3}}")
    run = "" if run is None else str(run)  # 0 is a name.
    if not (preset or run or overrides):
        run = str(shipped() or "")
    preset = str(preset or "tiny")
    is_file = preset.endswith((".yaml", ".yml"))
    values = {str(key): value for key, value in (overrides or {}).items()}
    settings = (Settings.load if is_file else Settings.preset)(preset, **values)
    if not run:
        return Workspace(settings, settings, None, made_directory())
    if overrides:
        found = f"overrides: found {', '.join(values)}"
        raise SettingsError(f"{found}, expected none with a finished run, which has its own")
    shown, kept = Run.open(Path(run).resolve()), None
    if isinstance(shown.settings.data.source, SoundFontSource) or (kept := _kept_data(shown)):
        settings = shown.settings
    return Workspace(shown.settings, settings, shown.directory, made_directory(), kept)


def _kept_data(run: Run) -> Path | None:
    """The data set that a run was trained on, where it is on this machine."""
    with suppress(ReverbSynthError):
        if DataSet.open(run.data_directory).sha256 == run.manifest["data_sha256"]:
            return run.data_directory
    return None


def bundles(results: Path = RESULTS) -> dict[str, Path]:
    """The results bundles that come with a checkout, by name."""
    return {path.parent.name: path.parent for path in sorted(results.glob(f"*/{MANIFEST}"))}


def shipped(results: Path = RESULTS) -> Path | None:
    """The bundle that the book shows: `SHOWN`, or where that is not there, the last by name."""
    there = bundles(results)
    return there.get(SHOWN) or next(reversed(there.values()), None)


def results_table(name: str) -> pd.DataFrame:
    """``recipes.csv`` or ``paper_curves.csv`` of a checkout, else an empty table."""
    path = RESULTS / name
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Of several notebooks that need the same, one makes it, and the others wait."""
    with ExitStack() as stack:
        lock = exclusive_lock(path.with_name(f".{path.name}.lock"), "is being made", wait=True)
        try:
            stack.enter_context(lock)
        except ReverbSynthError as error:
            expected = "expected a folder that can be, named by REVERBSYNTH_CACHE"
            raise ReverbSynthError(f"{error}; {expected}") from None
        yield


def made_directory() -> Path:
    """Folder for what is made: ``REVERBSYNTH_CACHE``, a checkout's ``_build``, or user's cache."""
    if named := os.environ.get("REVERBSYNTH_CACHE"):
        return Path(named).resolve()
    if (_CHECKOUT / "pyproject.toml").is_file():
        return _CHECKOUT / "_build"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reverbsynth"
