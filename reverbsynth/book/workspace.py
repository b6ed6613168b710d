"""Find or make: the data and the run that the notebooks of the book share.

Whatever is made once is found again, by the settings and by the code that makes it: after a change
of either, another folder is used, so that no page shows a result of code that is gone.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reverbsynth import provenance
from reverbsynth.data.build import build_data, data_hash
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import Note
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation.evaluate import evaluate
from reverbsynth.evaluation.report import Report
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import Settings, SoundFontSource
from reverbsynth.training.run import MANIFEST, Run

SMOKE_PRESETS = ("tiny",)
"""Presets whose runs show that the machinery works and nothing else."""

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Workspace:
    """Settings, and what is made with them when it is first asked for.

    Attributes
    ----------
    settings
        Settings of the run.
    data_settings
        Settings of the data set. They differ from `settings` only for a given run whose sounds
        are not on this machine: then the embedded sounds stand in.
    given_run
        The finished run to show, or None to train one.
    directory
        Folder that keeps what is made.
    """

    settings: Settings
    data_settings: Settings
    given_run: Path | None
    directory: Path

    @property
    def data_directory(self) -> Path:
        """Where the data set is kept."""
        return self.directory / "data" / f"{data_hash(self.data_settings)}-{provenance.code_hash()}"

    @property
    def run_directory(self) -> Path:
        """Where the run is kept."""
        if self.given_run is not None:
            return self.given_run
        return (
            self.directory
            / "runs"
            / f"{self.settings.name}-{self.settings.hash}-{provenance.code_hash()}"
        )

    @cached_property
    def data(self) -> DataSet:
        """The data set, built if it is not there yet (`reverbsynth.build_data`)."""
        return build_data(self.data_settings, self.data_directory)

    @cached_property
    def run(self) -> Run:
        """The run: the given one, or one that is trained now if it is not there yet."""
        if self.given_run is not None:
            return Run.open(self.given_run)
        from reverbsynth.training.train import train

        return train(self.settings, self.data, self.run_directory)

    @cached_property
    def showcase(self) -> "Workspace":
        """The workspace whose run is played and judged: that of the shipped results where this
        one's run is a smoke run (see `shipped`), else this one.
        """
        results = shipped()
        if results is None or self.settings.name not in SMOKE_PRESETS or self.given_run == results:
            return self
        return workspace(run=results)

    @cached_property
    def instrument(self) -> Instrument:
        """The instrument of the run that is played, after its last stage."""
        return Instrument.from_run(self.showcase.run)

    @cached_property
    def report(self) -> Report:
        """The evaluation of the run that is played: the one it keeps, or made now."""
        played = self.showcase
        return evaluate(played.run, played.data, played.settings, allow_other_data=True)

    @property
    def instrument_source(self) -> str:
        """A sentence that says which run's instrument is played."""
        run = self.showcase.run
        what = f"stage {run.stages[-1]}, {run.manifest['images_seen']:,} images seen"
        if self.showcase is not self:
            return (
                "The instrument played and judged here is the trained one that comes with this "
                f"book (results {run.directory.name}, preset {run.manifest['preset']}, {what}). "
                "This build's own run is a smoke run; the chapters on training show that."
            )
        if self.settings.name in SMOKE_PRESETS:
            return (
                "The instrument played and judged here is that of this build's own smoke run "
                f"(preset {run.manifest['preset']}, {what}), which is not a result."
            )
        return (
            "The instrument played and judged here is that of the run that this whole book shows "
            f"({run.directory.name}, preset {run.manifest['preset']}, {what})."
        )

    def twins(self, count: int, split: str = "train") -> list[dict[str, Note]]:
        """A few source notes, evenly spaced in pitch, each with its twins by effect."""
        pitch = {row["origin"]: row["pitch"] for row in self.data.index(split)}
        origins = sorted(pitch, key=lambda origin: (pitch[origin], origin))
        count = min(count, len(origins))
        places = np.linspace(0, len(origins) - 1, count + 2)[1:-1].round().astype(int)
        wanted: dict[str, dict[str, Note]] = {origins[place]: {} for place in places}
        for note in self.data.notes(split):
            if note.origin in wanted:
                wanted[note.origin][note.effect] = note
        return list(wanted.values())


def workspace(
    preset: str | Path = "tiny", run: str | Path = "", overrides: Mapping[str, Any] | None = None
) -> Workspace:
    """What the notebooks begin with.

    Parameters
    ----------
    preset
        A preset's name or a settings file.
    run
        Directory of a finished run to show; empty to find or train one by `preset`.
    overrides
        Settings on top of the preset's, nested or by dotted key.

    Raises
    ------
    ReverbSynthError
        For an unknown preset, a wrong setting, or a `run` that is none.

    Examples
    --------
    >>> workspace("tiny", overrides={"seed": 3}).settings.seed
    3
    """
    settings = _settings(preset, overrides or {})
    if not run:
        return Workspace(settings, settings, None, made_directory())
    given = Path(run).resolve()
    shown = Run.open(given).settings
    embedded = isinstance(shown.data.source, SoundFontSource)
    return Workspace(shown, shown if embedded else settings, given, made_directory())


def shipped() -> Path | None:
    """The results bundle that comes with a checkout: a folder of ``book/results``.

    Of several the last by name is taken, so that names that begin with a date or a number put the
    newest in front of readers. None where there is none, as in an installed wheel.
    """
    found = sorted(path.parent for path in _results().glob(f"*/{MANIFEST}"))
    return found[-1] if found else None


def recipes() -> pd.DataFrame:
    """What ``benchmarks/recipe.py`` measured, from a checkout: a row each, empty without one."""
    path = _results() / "recipes.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def made_directory() -> Path:
    """Folder for what is made on the way: ``_build`` of a checkout, else the user's cache.

    The environment variable ``REVERBSYNTH_CACHE`` names another.
    """
    named = os.environ.get("REVERBSYNTH_CACHE")
    if named:
        return Path(named).resolve()
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / "_build"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reverbsynth"


def _results() -> Path:
    return _PACKAGE.parent / "book" / "results"


def _settings(preset: str | Path, overrides: Mapping[str, Any]) -> Settings:
    if str(preset).endswith((".yaml", ".yml")):
        return Settings.load(preset, **overrides)
    if isinstance(preset, Path):
        raise ReverbSynthError(f"{preset}: expected a settings file (.yaml)")
    return Settings.preset(preset, **overrides)
