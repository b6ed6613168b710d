"""Evaluate a run or an instrument: every measure, one table, a verdict for each claim."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import keras
import numpy as np

from reverbsynth import provenance
from reverbsynth.audio import tails
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import Note
from reverbsynth.errors import DataError, RunError
from reverbsynth.evaluation import claims
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.classifier import LabelClassifier
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.grid import Grid, generated_grid, real_grid
from reverbsynth.evaluation.metrics import collective, memorization, paired, per_note, unrecorded
from reverbsynth.evaluation.metrics.base import measure_all
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet
from reverbsynth.evaluation.report import Report
from reverbsynth.evaluation.representations import NAMES, compare_representations
from reverbsynth.evaluation.seeds import least_changes, with_seeds
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.progress import ProgressDisplay
from reverbsynth.seeds import evenly_spaced, generator
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run

_KEY = ("stage", "images_seen", "data_sha256", "seed", "settings")


def evaluate(
    source: Run | Instrument | Path | str,
    data: DataSet | Path | str,
    settings: Settings | None = None,
    stage: int | None = None,
    force: bool = False,
    allow_other_data: bool = False,
) -> Report:
    """Measure what a run or an instrument generates against its data set.

    A run keeps its report in its directory, ``evaluation.json`` for the last stage and
    ``evaluation-SS.json`` for another (`StoredResult.load_or_evaluate`). Where a bundle keeps
    several seeds, it is of them all (`reverbsynth.evaluation.seeds.with_seeds`).

    The stage is the last finished one if unset, and the settings are the run's own, or the
    defaults. With ``force`` a kept report is made anew; with ``allow_other_data`` one on the run's
    own data is as good as one on `data`.
    """
    data = data if isinstance(data, DataSet) else DataSet.open(data)
    if not (data.count("valid") or data.count("test")):
        expected = "expected held-out notes to compare with (data.split)"
        raise DataError(f"{data.directory}: no notes in valid and test, {expected}")
    if not data.count("train"):
        expected = "expected notes for classifiers to learn from (data.split)"
        raise DataError(f"{data.directory}: no notes in train, {expected}")
    if not isinstance(source, Run | Instrument):
        source = Run.open(source) if Path(source).is_dir() else Instrument.load(source, stage)
    run = source if isinstance(source, Run) else None
    instrument = source if isinstance(source, Instrument) else Instrument.from_run(source, stage)
    settings = settings or (run.settings if run else Settings())
    facts = _facts(run, instrument, data, settings)

    def make() -> Report:
        began = time.monotonic()
        report = _evaluated(run, instrument, data, settings, facts)
        report.facts["seconds"] = round(time.monotonic() - began, 1)
        return report

    if run is None:
        return make()
    path = run.report_path(instrument.stage)
    report = Report.load_or_evaluate(path, run, facts, _KEY, make, force, allow_other_data)
    return with_seeds(report, run)


def kept_report(run: Run, stage: int | None = None) -> Report:
    """Load the report that a run keeps on a stage (the last), however it was made.

    One that was made before the run was trained on is not of it any more.
    """
    stage = run.stage(stage)
    path = run.report_path(stage)
    if not path.exists():
        raise RunError(f"{run.directory}: keeps no report on stage {stage}")
    report = Report.load(path)
    for name, expected in (("stage", stage), ("images_seen", run.images_at(stage))):
        if (found := report.facts.get(name)) != expected:
            raise RunError(f"{path}: {name}: found {found}, expected {expected}; evaluate it anew")
    return with_seeds(report, run)


def closest_notes(
    report: Report, instrument: Instrument, data: DataSet
) -> list[tuple[dict, np.ndarray, Note]]:
    """Return the closest pairs, with wave and training note, as far as `data` have the note."""
    ids = {pair["training"] for pair in report.pairs}
    notes = {note.id: note for note in data.notes("train") if note.id in ids}
    pairs = [pair for pair in report.pairs if pair["training"] in notes]
    if not pairs:
        return []
    waves = report.play(instrument, [pair["generated"] for pair in pairs])
    return list(zip(pairs, waves, [notes[pair["training"]] for pair in pairs], strict=True))


def _facts(run: Run | None, instrument: Instrument, data: DataSet, settings: Settings) -> dict:
    return {
        "of": run.directory.name if run else "instrument",
        "stage": instrument.stage,
        "labels": list(instrument.labels),
        "pitch_input": instrument.gan.pitch_input,
        "representation": NAMES[instrument.spectra.representation],
        "images_seen": instrument.facts.get("images_seen"),
        "instrument_commit": instrument.facts.get("commit"),
        "instrument_settings": instrument.facts.get("settings_hash"),
        "data_sha256": data.sha256,
        "own_data": instrument.facts.get("data_sha256") == data.sha256,
        "seed": settings.seed,
        "settings": settings.evaluation.model_dump(mode="json"),
        "commit": provenance.commit(),
        "code": provenance.code_hash(),
        "versions": provenance.versions(),
        "backend": keras.backend.backend(),
    }


def _evaluated(
    run: Run | None, instrument: Instrument, data: DataSet, settings: Settings, facts: dict
) -> Report:
    with ProgressDisplay() as display:
        task = display.add_task("training classifiers", total=4)
        next_step = partial(display.update, task, advance=1)
        notes = _prepared(instrument, data, settings, next_step)
        twins = paired.PairedMetrics(notes)
        next_step(description="measuring")
        groups = {
            "Notes": per_note.usable(notes),
            "Pitch": per_note.pitch(notes),
            "Keys without recordings": unrecorded.pitch(notes),
            "Reverb": per_note.reverb(notes),
            "Spectrum": per_note.spectrum(notes),
            "Distribution": collective.distribution(notes),
            "Memory": collective.memory(notes),
            "Diversity and control": collective.control(notes),
            "Same note, other effect": twins.changes(),
            "Dial": twins.dial(),
            "Reverb by octave": per_note.octaves(notes),
        }
        rows = [row for group in groups for row in measure_all(notes, group, groups[group])]
        next_step(description="judging")
        sizes = {s.name: len(s.all_clips) for s in (*notes.note_sets, notes.training)}
        is_wet = [row["effect"] == notes.wet for row in data.index("train")]
        clips = notes.generated.all_clips
        report = Report(
            {
                **facts,
                "bins": notes.bins.count if notes.bins else 0,
                "wet": notes.wet,
                "dry": twins.effects[0],
                "wet_share": sum(is_wet) / len(is_wet),
                "notes": {**sizes, "matched": notes.matched},
                "keys_in_tune": unrecorded.keys_in_tune(instrument, data, settings.seed),
            },
            rows,
            curves=_release_curves(notes),
            values={
                "place": {"generated": np.flatnonzero(notes.generated.usable)},
                "effect": {"generated": notes.generated.effects},
                "cents": {of_kind.name: of_kind.cents.round(4) for of_kind in notes.note_sets},
            },
            asked={name: getattr(clips, name).tolist() for name in instrument.labels},
            pairs=memorization.closest_pairs(notes.generated, notes.training),
            twins=twins.values(),
            dial=twins.curves,
        )
        report.verdicts = claims.verdicts(
            report,
            settings.evaluation.claims,
            None if run is None else least_changes([run]),
            compare_representations(data, settings),
        )
    return report


def _prepared(
    instrument: Instrument, data: DataSet, settings: Settings, next_step: Callable[..., None]
) -> EvaluationData:
    """Read, resynthesize and generate all notes that are measured."""
    limits, seed = settings.evaluation, settings.seed
    # First, for they hold training notes of their own.
    classifiers = {
        label: LabelClassifier.trained(data, label, limits, seed)
        for label in ("pitch", "effect")
        if len(data.vocabulary(label)) > 1
    }
    next_step(description="encoding and decoding real notes")
    training = Clips.of(data, ("train",), limits.real_notes, seed)
    held_out = Clips.of(data, ("valid", "test"), limits.real_notes, seed)
    # The first of them, which some metrics take, are then of all kinds.
    held_out = held_out.where(generator(seed, "evaluation").permutation(len(held_out)))
    grid = real_grid(Clips.joined([training, held_out]), limits.grid_latents, limits.grid_pitches)
    representation = instrument.representation
    ceiling = held_out.resynthesized(representation, instrument.stage)
    some = generator(seed, "evaluation", "trained").permutation(len(training))[: limits.notes]
    trained = training.where(some).resynthesized(representation, instrument.stage)
    grid_ceiling = grid.clips.resynthesized(representation, instrument.stage)
    next_step(description="generating")
    generated = Clips.generated(instrument, data, limits.notes, seed)
    effects = [str(effect) for effect in data.vocabulary("effect")]
    if len(effects) == 1:
        generated = replace(generated, effect=np.full(len(generated), effects[0], object))
    pitches = sorted(set(grid.clips.pitch.tolist()) & set(instrument.pitches))
    if len(pitches) < 2:
        known = sorted(set(data.keys("train")) & set(instrument.pitches))
        pitches = [known[index] for index in evenly_spaced(len(known), limits.grid_pitches)]
    swapped = paired.effect_swapped_notes(instrument, data, limits.pairs, seed)
    played = generated_grid(instrument, data, limits.grid_latents, pitches, seed)

    def note_set(name: str, clips: Clips, grid: Grid | None = None) -> NoteSet:
        return NoteSet(name, clips, grid or Grid.empty(clips), classifiers, limits.straightness)

    of_keys = {}
    if keys := unrecorded.unrecorded_keys(instrument, data):
        chosen = np.isin(held_out.pitch, keys)
        of_keys = {
            "real": held_out.where(chosen),
            "ceiling": ceiling.where(chosen),
            "generated": Clips.generated(instrument, data, limits.notes, seed, keys),
            "resampled": unrecorded.resampled_notes(training, keys, limits.notes),
        }
    keys, count = data.keys("train"), min(limits.notes, len(held_out))
    shifted = unrecorded.resampled_notes(training, keys, count) if len(keys) > 1 else None
    return EvaluationData(
        limits,
        Bootstrap.of(limits, seed),
        note_set("training", training, grid),
        note_set("real", held_out, grid),
        note_set("ceiling", ceiling, replace(grid, clips=grid_ceiling)),
        note_set("trained", trained),
        note_set("generated", generated, played),
        effects,
        None if swapped is None else note_set("effect-swapped", swapped),
        paired.effect_sweep_levels(instrument, data, limits.sweep_notes, seed),
        {name: note_set(name, clips) for name, clips in of_keys.items()},
        note_set("resampled", shifted) if shifted else None,
    )


def _release_curves(notes: EvaluationData) -> dict[str, dict]:
    """Return quartiles over notes of the level around the release, by set and effect."""
    curves = {}
    for note_set, effect in product(notes.note_sets, notes.effects):
        waves = note_set.clips.waves[note_set.effects == effect]
        if not len(waves):
            continue
        seconds, levels = tails.levels(waves)
        levels = levels[np.isfinite(levels).all(axis=1)]
        if len(levels) >= notes.bootstrap.least:
            quartiles = np.percentile(levels, (25, 50, 75), axis=0).round(2)
            curve = dict(zip(("low", "median", "high"), quartiles, strict=True), notes=len(levels))
            curves[f"{note_set.name} {effect}"] = {"seconds": seconds.round(3), **curve}
    return curves
