"""Learned effects for held-out recordings, against their true twins.

A held-out note without an effect goes through `Instrument.apply_effect`; the data set holds the
same note with the effect. The baseline is to leave the note as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reverbsynth import provenance
from reverbsynth.audio.spectrum import log_spectral_distance, mel_levels
from reverbsynth.audio.tails import measure_tails
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import Note
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.metrics.paired import shared_effects
from reverbsynth.evaluation.stored import StoredResult, load_or_evaluate
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.progress import ProgressDisplay
from reverbsynth.seeds import generator
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run

FILE = "applied.json"
"""Name of a run's trials in its directory."""

_COLUMNS = {
    "reconstruction to recording (dB)": "reconstruction",
    "result to twin (dB)": "result",
    "twin through an image (dB)": "ceiling",
    "left as it was (dB)": "baseline",
}
_SIZES = ("notes", "starts", "steps")
_KEY = ("data_sha256", "stage", "images_seen", "seed", *_SIZES)


@dataclass(frozen=True)
class TransferTrial:
    """One recording with one effect, the latent vector and labels that the search found.

    Log-spectral distances in dB are those of the reconstruction to the recording, and to the true
    twin those of the result, of the twin itself through an image of the stage's resolution
    (``ceiling``), and of the recording as it is (``baseline``). T20 is in seconds, None for a tail
    without one.
    """

    id: str
    origin: str
    pitch: int
    effect: str
    z: list[float]
    labels: dict[str, Any]
    reconstruction: float
    result: float
    ceiling: float
    baseline: float
    t20: dict[str, float | None]

    def play(self, instrument: Instrument) -> tuple[np.ndarray, np.ndarray]:
        """Generate the reconstruction and the result again, each [shape=(64000,)]."""
        labels = {**self.labels, "effect": [self.labels["effect"], self.effect]}
        waves = instrument.notes([self.pitch] * 2, z=np.array(self.z, np.float32), **labels)
        return waves[0], waves[1]

    def notes(self, data: DataSet) -> dict[str, Note]:
        """Return the recording and its twins, by effect; empty where other data stand in."""
        return {note.effect: note for note in _held_out(data) if note.origin == self.origin}


@dataclass
class TransferTrials(StoredResult):
    """All trials of an instrument, with the facts that they rest on."""

    trials: list[TransferTrial] = field(default_factory=list)

    def table(self, settings: Settings) -> pd.DataFrame:
        """Return medians over notes with their intervals, a row for each effect."""
        bootstrap, rows = Bootstrap.of(settings.evaluation, settings.seed), {}
        trials = pd.DataFrame(self.trials)
        for effect, group in trials.groupby("effect", sort=False) if self.trials else ():
            row = rows[effect] = {"notes": str(len(group))}
            for title, name in _COLUMNS.items():
                row[title] = bootstrap.median(group[name].to_numpy()).text(1)
            nearer = (group["result"] < group["baseline"]).sum()
            row["nearer than left as it was"] = f"{nearer} of {len(group)}"
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("effect")


def apply_to_held_out(
    run: Run,
    data: DataSet | Path | str,
    settings: Settings | None = None,
    force: bool = False,
    allow_other_data: bool = False,
) -> TransferTrials:
    """Apply effects to held-out notes, or load the trials that the run keeps (``applied.json``).

    The held-out notes of the data are the recordings. There are no trials for an instrument that
    has no label for the effect. Other parameters are those of
    `reverbsynth.evaluation.evaluate.evaluate`.
    """
    settings = settings or run.settings
    instrument = Instrument.from_run(run)
    data = data if isinstance(data, DataSet) else DataSet.open(data)
    facts = {
        "data_sha256": data.sha256,
        "stage": instrument.stage,
        "images_seen": instrument.facts["images_seen"],
        "seed": settings.seed,
        **{name: getattr(settings.evaluation, f"transfer_{name}") for name in _SIZES},
        "code": provenance.code_hash(),
    }
    if "effect" not in instrument.labels or len(instrument.labels["effect"]) < 2:
        return TransferTrials(facts)
    return load_or_evaluate(
        TransferTrials,
        run.directory / FILE,
        run,
        facts,
        _KEY,
        lambda: TransferTrials(facts, list(_trials(instrument, data, settings))),
        force,
        allow_other_data,
    )


def _trials(instrument: Instrument, data: DataSet, settings: Settings) -> Iterator[TransferTrial]:
    limits, effects = settings.evaluation, shared_effects(instrument, data)
    sources = _sources(instrument, data, effects, settings)
    with ProgressDisplay() as display:
        task = display.add_task("searching", total=len(sources) * limits.transfer_steps)
        for twins in sources:
            recording = twins[effects[0]]
            applied = instrument.apply_effect(
                recording.audio,
                effects[1],
                recording.pitch,
                seed=settings.seed,
                # A note of the data set begins, and is as loud, as those that were trained on.
                gain=1.0,
                onset=0,
                starts=limits.transfer_starts,
                steps=limits.transfer_steps,
                progress=lambda *_: display.advance(task),
            )
            for effect in effects[1:]:
                labels = {**applied.fit.labels, "effect": effect}
                twin = Clips.from_notes([twins[effect]])
                ceiling = twin.resynthesized(instrument.representation, instrument.stage)
                measured = _measured(
                    recording=recording.audio,
                    reconstruction=applied.reconstruction,
                    result=instrument.notes([recording.pitch], z=applied.fit.z, **labels)[0],
                    twin=twin.waves[0],
                    ceiling=ceiling.waves[0],
                )
                names = (recording.id, recording.origin, recording.pitch, effect)
                yield TransferTrial(*names, applied.fit.z.tolist(), applied.fit.labels, **measured)


def _held_out(data: DataSet) -> Iterator[Note]:
    for split in ("valid", "test"):
        yield from data.notes(split)


def _sources(
    instrument: Instrument, data: DataSet, effects: list[str], settings: Settings
) -> list[dict[str, Note]]:
    """Draw held-out notes that are there in every effect; each by effect."""
    twins: dict[str, dict[str, Note]] = {}
    for note in _held_out(data):
        if note.pitch in instrument.pitches:
            twins.setdefault(note.origin, {})[note.effect] = note
    complete = [
        twins[name] for name in sorted(twins) if effects and set(effects) <= set(twins[name])
    ]
    order = generator(settings.seed, "evaluation", "applied").permutation(len(complete))
    return [complete[index] for index in order[: settings.evaluation.transfer_notes]]


def _measured(**waves: np.ndarray) -> dict[str, Any]:
    """Return the distances and decay times of a trial's waves."""
    stacked = np.stack(list(waves.values()))
    levels = dict(zip(waves, mel_levels(stacked), strict=True))
    t20 = dict(zip(waves, measure_tails(stacked).t20.tolist(), strict=True))
    del t20["ceiling"]

    def distance(first: str, second: str) -> float:
        return float(log_spectral_distance(levels[first], levels[second]))

    return {
        "reconstruction": distance("reconstruction", "recording"),
        "result": distance("result", "twin"),
        "ceiling": distance("ceiling", "twin"),
        "baseline": distance("recording", "twin"),
        "t20": {name: None if np.isnan(seconds) else seconds for name, seconds in t20.items()},
    }
