"""``reverbsynth evaluate``."""

from pathlib import Path
from typing import Annotated

from typer import Option, echo

from reverbsynth.cli import options
from reverbsynth.errors import RunError, SettingsError


def evaluate(
    source: options.Source,
    data: Annotated[
        Path | None, Option(help="Data set; by default the one that a run was trained on.")
    ] = None,
    stage: options.Stage = None,
    preset: options.Preset = None,
    settings: options.SettingsFile = None,
    set_: options.Overrides = None,
    force: Annotated[bool, Option("--force", help="Evaluate even where a report is kept.")] = False,
    transfer: Annotated[
        bool, Option("--effect-transfer", help="Also apply effects to held-out notes, in minutes.")
    ] = False,
    output: Annotated[
        Path | None, Option("--output", "-o", help="Also write the report to this file.")
    ] = None,
) -> None:
    """Measure pitch, reverb, spectrum, distribution and memory against real notes.

    A run is judged by its own settings and an instrument by the defaults, unless others are named.
    """
    from reverbsynth.files.atomic import check_file
    from reverbsynth.instrument.shipped import find
    from reverbsynth.settings import Settings
    from reverbsynth.training.run import Run

    source = find(source)
    if output is not None:
        check_file(output)
    run = Run.open(source) if source.is_dir() else None
    if transfer and run is None:
        raise RunError(f"{source}: --effect-transfer is for a run, whose directory keeps it")
    if transfer and run is not None and stage not in (None, run.stage(None)):
        raise RunError(f"--effect-transfer: found stage {stage}, expected the last one of {source}")
    from reverbsynth.evaluation.effect_transfer import apply_to_held_out
    from reverbsynth.evaluation.evaluate import evaluate as make_report
    from reverbsynth.evaluation.evaluate import kept_report

    own = Settings() if run is None else run.settings
    chosen = options.resolve(preset, settings, set_, own=own)
    changed = force or transfer or preset or settings or set_
    if run is not None and run.bundled and data is None and not changed:
        report = kept_report(run, stage)
        echo(f"{source}: a results bundle; this is the report it keeps, on its own data")
    else:
        data = data or (run.data_directory if run else None)
        if data is None:
            raise SettingsError(f"{source}: an instrument has no data with it, expected --data")
        report = make_report(run or source, data, chosen, stage, force)
    echo(report.text())
    if output is not None:
        report.save(output)
    if transfer and run is not None and data is not None:
        trials = apply_to_held_out(run, data, chosen, force)
        none = "none: they have no twins, or the network is told no effect"
        shown = trials.table(chosen).to_string(index=False) if trials.trials else none
        echo(f"\nEffects applied to held-out notes\n{shown}")
