"""Evaluate a run or an instrument: every measure, one table, a verdict for each claim."""

import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from pydantic import ValidationError

from reverbsynth import provenance
from reverbsynth.audio import tails
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import Note
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation import claims
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.classifier import LabelClassifier
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.grid import Grid, generated_grid, real_grid, spaced
from reverbsynth.evaluation.metrics import memorization
from reverbsynth.evaluation.metrics.collective import CollectiveMetrics
from reverbsynth.evaluation.metrics.paired import (
    PairedMetrics,
    effect_swapped_notes,
    effect_sweep_levels,
)
from reverbsynth.evaluation.metrics.per_note import PerNoteMetrics
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet
from reverbsynth.evaluation.report import Report
from reverbsynth.evaluation.representations import NAMES, compare_representations
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.progress import progress
from reverbsynth.seeds import generator
from reverbsynth.settings import EvaluationSettings, Settings
from reverbsynth.training.run import Run

FILE = "evaluation.json"
"""Name of a run's report in its directory."""

_PAIRS = 4
_STEPS = 5


def evaluate(
    thing: Run | Instrument | Path | str,
    data: DataSet | Path | str,
    settings: Settings | None = None,
    stage: int | None = None,
    again: bool = False,
    allow_other_data: bool = False,
) -> Report:
    """Measure what a run or an instrument generates against its data set.

    The report of a run is kept in its directory and found there the next time that the same is
    asked of the same data: ``evaluation.json`` for the last stage, ``evaluation-SS.json`` for
    another. One on other data than the run's own does not take the place of one on those, and a
    results bundle is never written to.

    Parameters
    ----------
    thing : Run, Instrument or path
        A run or its directory, an instrument or its file.
    data : DataSet or path
        Real notes: the training split is what others are compared with, and what listeners learn
        from; the other splits are the held-out notes.
    settings : Settings, optional
        Their ``evaluation`` and ``seed`` are used; the run's own if none are given.
    stage : int, optional
        Of a run; the last finished one if none is given.
    again : bool
        Evaluate even where a report is there.
    allow_other_data : bool
        Whether `data` only stand in for the run's own, which may not be at hand: then a report on
        its own data is as good, and that of a results bundle whatever the settings.

    Returns
    -------
    Report

    Raises
    ------
    ReverbSynthError
        For a path that is neither run nor instrument, a run without a finished stage, or data
        that share no label with the instrument.
    """
    began = time.monotonic()
    data = data if isinstance(data, DataSet) else DataSet.open(data)
    run, instrument = _opened(thing, stage)
    settings = settings or (run.settings if run else Settings())
    path = _path(run, instrument.stage) if run else None
    facts = _facts(run, instrument, data, settings)
    kept = _kept(path, again) if run else None
    if kept is not None and not again and _answers(kept, facts, run, allow_other_data):
        return kept
    report = _evaluated(run, instrument, data, settings, facts)
    report.facts["seconds"] = round(time.monotonic() - began, 1)
    if run is not None and not run.bundled and (facts["own_data"] or not _on_own_data(kept, run)):
        report.save(path)
    return report


def kept_report(run: Run, stage: int | None = None) -> Report:
    """The report that a run or a results bundle keeps.

    Parameters
    ----------
    run : Run
    stage : int, optional
        The last finished one if none is given.

    Raises
    ------
    ReverbSynthError
        When it keeps none.
    """
    stage = run.stage(stage)
    path = _path(run, stage)
    if not path.exists():
        raise ReverbSynthError(f"{run.directory}: keeps no report on stage {stage}")
    return Report.load(path)


def closest_notes(
    report: Report, instrument: Instrument, data: DataSet
) -> list[tuple[np.ndarray, Note]]:
    """The closest pairs to see and hear: generated samples [shape=(64000,)] and training note.

    Pairs whose training note is not in `data`, because other data stand in, are left out.
    """
    wanted = {pair["training"] for pair in report.pairs}
    notes = {note.id: note for note in data.notes("train") if note.id in wanted}
    pairs = [pair for pair in report.pairs if pair["training"] in notes]
    if not pairs:
        return []
    waves = report.play(instrument, [pair["generated"] for pair in pairs])
    return [(wave, notes[pair["training"]]) for wave, pair in zip(waves, pairs, strict=True)]


def _evaluated(
    run: Run | None, instrument: Instrument, data: DataSet, settings: Settings, facts: dict
) -> Report:
    with progress() as display:
        task = display.add_task("listening to real notes", total=_STEPS)

        def step(what: str) -> None:
            display.update(task, advance=1, description=what)

        study = _study(instrument, data, settings, step)
        sounds, together, paired = (
            PerNoteMetrics(study),
            CollectiveMetrics(study),
            PairedMetrics(study),
        )
        step("measuring")
        rows = [*sounds.notes(), *sounds.pitch(), *sounds.reverb(), *sounds.spectrum()]
        step("comparing")
        rows += [*together.distribution(), *together.memory(), *together.control()]
        rows += [*paired.changes(), *paired.dial(), *sounds.octaves()]
        step("judging")
        report = Report(facts, rows, asked=_asked(study.generated.asked, instrument))
        report.facts |= {
            "bins": study.bins.count if study.bins else 0,
            "wet": study.wet,
            "wet_share": _share(data, study.wet),
            "notes": {subject.name: len(subject.asked) for subject in study.subjects}
            | {"training": len(study.training.asked), "matched": study.matched},
        }
        report.curves = _curves(study)
        report.values = _values(study, sounds, together)
        report.pairs = _pairs(study)
        report.twins, report.dial = paired.values(), paired.curves()
        report.verdicts = claims.verdicts(
            report,
            settings.evaluation.claims,
            study.wet,
            report.facts["wet_share"],
            claims.loss_falls(run.metrics()) if run else None,
            compare_representations(data, settings),
        )
    return report


def _study(instrument: Instrument, data: DataSet, settings: Settings, step) -> EvaluationData:
    chosen, seed = settings.evaluation, settings.seed
    training = Clips.of(data, ("train",), chosen.real_notes, seed)
    held_out = Clips.of(data, ("valid", "test"), chosen.real_notes, seed)
    # Whatever part of them a measure takes, it takes all kinds of notes.
    held_out = held_out.where(generator(seed, "evaluation").permutation(len(held_out)))
    listeners = {
        label: LabelClassifier.trained(data, label, chosen, seed)
        for label in ("pitch", "effect")
        if len(data.vocabulary(label)) > 1
    }
    step("encoding and decoding real notes")
    every = real_grid(_joined(training, held_out), chosen.grid_latents, chosen.grid_pitches)
    through = every.clips.resynthesized(instrument.representation, instrument.stage)
    ceiling = held_out.resynthesized(instrument.representation, instrument.stage)
    step("generating")
    generated = Clips.generated(instrument, data, chosen.notes, seed)
    effects = list(data.vocabulary("effect"))
    if len(effects) == 1:
        generated = replace(generated, effect=np.full(len(generated), effects[0], object))
    shared = sorted(set(every.clips.pitch.tolist()) & set(instrument.pitches))
    known = sorted({row["pitch"] for row in data.index("train")} & set(instrument.pitches))
    pitches = shared if len(shared) > 1 else spaced(known, chosen.grid_pitches)
    played = generated_grid(instrument, data, chosen.grid_latents, pitches, seed)

    twins = effect_swapped_notes(instrument, data, chosen.pairs, seed)
    no_grid = Grid(generated.where(np.empty(0, int)), 0, 0)

    def subject(name: str, clips: Clips, grid: Grid) -> NoteSet:
        return NoteSet(name, clips, grid, listeners, chosen.straightness)

    return EvaluationData(
        chosen,
        Bootstrap.of(chosen, seed),
        subject("training", training, every),
        subject("real", held_out, every),
        subject("ceiling", ceiling, Grid(through, every.timbres, every.pitches)),
        subject("generated", generated, played),
        effects,
        None if twins is None else subject("flipped", twins, no_grid),
        effect_sweep_levels(instrument, data, chosen.sweep_notes, seed),
    )


def _opened(thing: Run | Instrument | Path | str, stage: int | None) -> tuple:
    """The run, if it is one, and the instrument."""
    if isinstance(thing, Instrument):
        return None, thing
    if isinstance(thing, Run):
        return thing, Instrument.from_run(thing, stage)
    path = Path(thing)
    if path.is_dir():
        run = Run.open(path)
        return run, Instrument.from_run(run, stage)
    if path.is_file():
        return None, Instrument.load(path)
    raise ReverbSynthError(f"{path}: not found, expected a run's directory or an instrument")


def _path(run: Run, stage: int) -> Path:
    last = run.stage(None) == stage
    return run.directory / (FILE if last else f"evaluation-{stage:02d}.json")


def _kept(path: Path, again: bool) -> Report | None:
    """The report that is there. A damaged one is made anew where that is asked for."""
    if not path.exists():
        return None
    try:
        return Report.load(path)
    except ReverbSynthError:
        if again:
            return None
        raise


def _facts(run: Run | None, instrument: Instrument, data: DataSet, settings: Settings) -> dict:
    trained_on = instrument.facts.get("data_sha256")
    return {
        "of": run.directory.name if run else "instrument",
        "stage": instrument.stage,
        "labels": list(instrument.labels),
        "representation": NAMES[instrument.spectra.representation],
        "images_seen": instrument.facts.get("images_seen"),
        "instrument_commit": instrument.facts.get("commit"),
        "data_sha256": data.sha256,
        "own_data": trained_on == data.sha256,
        "seed": settings.seed,
        "settings": settings.evaluation.model_dump(mode="json"),
        "commit": provenance.commit(),
        "versions": provenance.versions(),
        "backend": keras.backend.backend(),
    }


def _answers(kept: Report, facts: dict, run: Run, allow_other_data: bool) -> bool:
    """Whether a report that was kept is the one asked for."""
    if allow_other_data and run.bundled:
        # Published results keep their report, whatever settings are added later.
        return True
    same = all(kept.facts[name] == facts[name] for name in ("stage", "seed", "images_seen"))
    data = kept.facts["data_sha256"] == facts["data_sha256"]
    own = allow_other_data and _on_own_data(kept, run)
    return same and _judged_by(kept.facts) == _judged_by(facts) and (data or own)


def _judged_by(facts: dict) -> EvaluationSettings | None:
    """The settings of an evaluation; what they do not name, because it is newer, has its default.

    None where they are of another version.
    """
    try:
        return EvaluationSettings.model_validate(facts["settings"])
    except ValidationError:
        return None


def _on_own_data(kept: Report | None, run: Run) -> bool:
    return kept is not None and kept.facts["data_sha256"] == run.manifest["data_sha256"]


def _joined(first: Clips, second: Clips) -> Clips:
    names = first.__dataclass_fields__
    return Clips(*(np.concatenate([getattr(c, name) for c in (first, second)]) for name in names))


def _asked(clips: Clips, instrument: Instrument) -> dict[str, list]:
    return {name: getattr(clips, name).tolist() for name in instrument.labels}


def _share(data: DataSet, effect: str | None) -> float:
    rows = data.index("train")
    return sum(row["effect"] == effect for row in rows) / len(rows)


def _curves(study: EvaluationData) -> dict[str, dict]:
    """Quartiles over notes of the level around the release, by kind and effect."""
    curves = {}
    for subject in study.subjects:
        for effect in study.effects:
            waves = subject.clips.waves[subject.effects == effect]
            seconds, levels = tails.levels(waves)
            levels = levels[np.isfinite(levels).all(axis=1)]
            if len(levels) < study.bootstrap.least:
                continue
            low, median, high = np.percentile(levels, (25, 50, 75), axis=0).round(2)
            curves[f"{subject.name} {effect}"] = {
                "seconds": seconds.round(3),
                "low": low,
                "median": median,
                "high": high,
                "notes": len(levels),
            }
    return curves


def _values(
    study: EvaluationData, sounds: PerNoteMetrics, together: CollectiveMetrics
) -> dict[str, dict]:
    """What figures show of each note."""
    values: dict[str, dict] = {
        name: {} for name in ("effect", "ratio", "t20", "cents", "treble", "nearest", "training")
    }
    for subject in study.subjects:
        each = {
            "effect": subject.effects,
            "ratio": subject.tails.ratio,
            "t20": subject.tails.t20,
            "cents": subject.cents,
            "treble": subject.treble,
            "nearest": sounds.nearest_of_pitch(subject),
            "training": together.nearest(subject, study.training),
        }
        for name, array in each.items():
            values[name][subject.name] = array if name == "effect" else array.round(4)
    values["place"] = {"generated": np.flatnonzero(study.generated.usable)}
    return values


def _pairs(study: EvaluationData) -> list[dict]:
    """The generated notes nearest to a training note."""
    generated, training = study.generated, study.training
    places = np.flatnonzero(generated.usable)
    return [
        {
            "generated": int(places[pair.generated]),
            "pitch": int(generated.clips.pitch[pair.generated]),
            "training": training.clips.id[pair.real],
            "distance": pair.distance,
        }
        for pair in memorization.closest_pairs(generated.levels, training.levels, _PAIRS)
    ]
