"""Learned effects for held-out recordings, against their true twins.

A held-out note without an effect goes through `Instrument.apply_effect`; the data set holds the
same note with the effect. The baseline is to leave the note as it is.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reverbsynth.audio.spectrum import log_spectral_distance, mel_levels
from reverbsynth.audio.tails import measure_tails
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import Note
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.metrics.paired import ordered
from reverbsynth.files.atomic import write_json
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.progress import progress
from reverbsynth.seeds import generator
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run

FILE = "applied.json"
"""Name of a run's trials in its directory."""

FORMAT = 1


@dataclass(frozen=True)
class TransferTrial:
    """One recording with one effect; distances in dB between log spectra, T20 in seconds.

    Attributes
    ----------
    id, origin
        Names of the recording and of its source note.
    pitch
        The recording's, which the search is told.
    effect
        The one asked for.
    z, labels
        What the search found.
    reconstruction
        Distance of the reconstruction to the recording.
    result, ceiling, baseline
        Distance to the true twin: of the result, of the twin itself after the round trip through
        an image of the stage's resolution, and of the recording as it is.
    t20
        Of the recording, the reconstruction, the result and the twin; None for a tail without one.
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
        """The reconstruction and the result once more [shape=(64000,)]."""
        z = np.float32(self.z)
        (again,) = instrument.notes([self.pitch], z=z, **self.labels)
        (result,) = instrument.notes([self.pitch], z=z, **{**self.labels, "effect": self.effect})
        return again, result

    def notes(self, data: DataSet) -> dict[str, Note]:
        """The recording and its twin, by effect; empty where other data stand in."""
        return {
            note.effect: note
            for split in ("valid", "test")
            for note in data.notes(split)
            if note.origin == self.origin
        }


@dataclass
class TransferTrials:
    """All trials of an instrument, with what they rest on."""

    facts: dict[str, Any]
    trials: list[TransferTrial] = field(default_factory=list)

    def table(self, settings: Settings) -> pd.DataFrame:
        """Medians over notes with their intervals, a row for each effect."""
        chosen, rows = Bootstrap.of(settings.evaluation, settings.seed), {}
        for effect in dict.fromkeys(trial.effect for trial in self.trials):
            of = [trial for trial in self.trials if trial.effect == effect]

            def typical(name: str, of=of) -> str:
                return chosen.median(np.array([getattr(trial, name) for trial in of])).text(1)

            nearer = np.array([trial.result < trial.baseline for trial in of])
            rows[effect] = {
                "notes": str(len(of)),
                "reconstruction to recording (dB)": typical("reconstruction"),
                "result to twin (dB)": typical("result"),
                "twin through an image (dB)": typical("ceiling"),
                "left as it was (dB)": typical("baseline"),
                "nearer than left as it was": f"{nearer.sum()} of {len(of)}",
            }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame.index.name = "effect"
        return frame

    def save(self, path: Path) -> None:
        """Write the trials as JSON, atomically."""
        write_json(path, {"format": FORMAT, **asdict(self)})

    @classmethod
    def load(cls, path: Path) -> "TransferTrials":
        """Read what `save` wrote.

        Raises
        ------
        ReverbSynthError
            For a file that is missing, damaged or of another kind.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["format"] != FORMAT:
                raise ValueError
            return cls(stored["facts"], [TransferTrial(**trial) for trial in stored["trials"]])
        except OSError as error:
            raise ReverbSynthError(f"{path}: cannot be read ({error.strerror})") from None
        except (ValueError, KeyError, TypeError):
            raise ReverbSynthError(
                f"{path}: no trials of format {FORMAT}; remove it to make them anew"
            ) from None


def apply_to_held_out(
    run: Run,
    data: DataSet | Path | str,
    settings: Settings | None = None,
    again: bool = False,
    allow_other_data: bool = False,
) -> TransferTrials:
    """Apply effects to held-out notes, or find the trials that the run keeps (``applied.json``).

    Trials on other data than the run's own do not take the place of those on its own, and a results
    bundle is never written to.

    Parameters
    ----------
    run : Run
    data : DataSet or path
        Its held-out notes are the recordings.
    settings : Settings, optional
        Their ``evaluation`` and ``seed`` are used; the run's own if none are given.
    again : bool
        Make trials even where some are kept.
    allow_other_data : bool
        Whether `data` only stand in for the run's own: then trials on its own are as good.

    Returns
    -------
    Trials
        None of them for an instrument that cannot be asked for an effect.
    """
    settings = settings or run.settings
    instrument = Instrument.from_run(run)
    chosen = settings.evaluation
    data = data if isinstance(data, DataSet) else DataSet.open(data)
    facts = {
        "data_sha256": data.sha256,
        "stage": instrument.stage,
        "images_seen": instrument.facts["images_seen"],
        "seed": settings.seed,
        "notes": chosen.transfer_notes,
        "starts": chosen.transfer_starts,
        "steps": chosen.transfer_steps,
    }
    path, own = run.directory / FILE, run.manifest["data_sha256"]
    kept = None
    if path.exists():
        try:
            kept = TransferTrials.load(path)
        except ReverbSynthError:
            if not again:
                raise
    if kept is not None:
        # Before the data were named, they were the run's own.
        kept.facts.setdefault("data_sha256", own)
        same = [facts, {**facts, "data_sha256": own}] if allow_other_data else [facts]
        if kept.facts in same and not again:
            return kept
    if len(instrument.labels.get("effect", ())) < 2:
        return TransferTrials(facts)
    found = TransferTrials(facts, _tried(instrument, data, settings))
    on_own = kept is not None and kept.facts["data_sha256"] == own
    if not run.bundled and (data.sha256 == own or not on_own):
        found.save(path)
    return found


def _tried(instrument: Instrument, data: DataSet, settings: Settings) -> list[TransferTrial]:
    chosen = settings.evaluation
    known = instrument.labels["effect"]
    effects = ordered([effect for effect in data.vocabulary("effect") if effect in known] or known)
    sources = _sources(instrument, data, effects, settings)
    trials = []
    with progress() as display:
        task = display.add_task("searching", total=len(sources) * chosen.transfer_steps)
        for twins in sources:
            recording = twins[effects[0]]
            done = instrument.apply_effect(
                recording.audio,
                effects[1],
                pitch=recording.pitch,
                seed=settings.seed,
                starts=chosen.transfer_starts,
                steps=chosen.transfer_steps,
                # A clip of the data set is at the level, and at the place, of those trained on.
                gain=1.0,
                onset=0,
                progress=lambda *_: display.update(task, advance=1),
            )
            for effect in effects[1:]:
                twin = Clips.from_notes([twins[effect]])
                through = twin.resynthesized(instrument.representation, instrument.stage)
                labels = {**done.fit.labels, "effect": effect}
                (result,) = instrument.notes([recording.pitch], z=done.fit.z, **labels)
                waves = {
                    "recording": recording.audio,
                    "reconstruction": done.reconstruction,
                    "result": result,
                    "twin": twins[effect].audio,
                    "through": through.waves[0],
                }
                trials.append(_trial(recording, effect, done.fit, waves))
    return trials


def _sources(
    instrument: Instrument, data: DataSet, effects: list[str], settings: Settings
) -> list[dict[str, Note]]:
    """Held-out notes that are there in every effect, by effect."""
    twins: dict[str, dict[str, Note]] = {}
    for split in ("valid", "test"):
        for note in data.notes(split):
            if note.pitch in instrument.pitches:
                twins.setdefault(note.origin, {})[note.effect] = note
    whole = [found for _, found in sorted(twins.items()) if set(effects) <= set(found)]
    order = generator(settings.seed, "evaluation", "applied").permutation(len(whole))
    return [whole[place] for place in order[: settings.evaluation.transfer_notes]]


def _trial(recording: Note, effect: str, fit, waves: dict[str, np.ndarray]) -> TransferTrial:
    names = list(waves)
    levels = dict(zip(names, mel_levels(np.stack(list(waves.values()))), strict=True))
    tails = measure_tails(np.stack(list(waves.values())))

    def apart(first: str, second: str) -> float:
        return float(log_spectral_distance(levels[first], levels[second]))

    return TransferTrial(
        recording.id,
        recording.origin,
        recording.pitch,
        effect,
        fit.z.tolist(),
        fit.labels,
        reconstruction=apart("reconstruction", "recording"),
        result=apart("result", "twin"),
        ceiling=apart("through", "twin"),
        baseline=apart("recording", "twin"),
        t20={
            name: None if np.isnan(seconds) else float(seconds)
            for name, seconds in zip(names, tails.t20, strict=True)
            if name != "through"
        },
    )
