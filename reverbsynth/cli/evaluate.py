"""``reverbsynth evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.cli.options import PresetOption, SetOption, SettingsOption, resolve


def evaluate(
    thing: Annotated[
        Path, typer.Argument(metavar="RUN_OR_INSTRUMENT", help="A run, or an instrument's file.")
    ],
    data: Annotated[
        Path | None, typer.Option("--data", help="Data set; the one a run was trained on if unset.")
    ] = None,
    stage: Annotated[
        int | None, typer.Option("--stage", min=0, max=12, help="Of a run; the last if unset.")
    ] = None,
    preset: PresetOption = None,
    settings: SettingsOption = None,
    set_: SetOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Evaluate anew where a report is there.")
    ] = False,
    applied: Annotated[
        bool,
        typer.Option("--applied", help="Also apply effects to held-out notes: minutes of search."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report to this file.")
    ] = None,
) -> None:
    """Measure pitch, reverb, spectrum, distribution and memory against real notes.

    A run is judged by its own settings and an instrument by the defaults, unless others are named.
    """
    from reverbsynth.errors import ReverbSynthError
    from reverbsynth.files.atomic import check_file
    from reverbsynth.settings import Settings, parse_overrides
    from reverbsynth.training.run import Run

    if not thing.exists():
        raise ReverbSynthError(f"{thing}: not found, expected a run's directory or an instrument")
    if output is not None:
        check_file(output)
    run = Run.open(thing) if thing.is_dir() else None
    if applied and run is None:
        raise ReverbSynthError(f"{thing}: --applied is for a run, whose directory keeps it")
    if preset is None and settings is None:
        chosen = Settings() if run is None else run.settings
        chosen = chosen.replace(**parse_overrides(set_ or []))
    else:
        chosen = resolve(preset, settings, set_)
    if data is None and run is None:
        raise ReverbSynthError(f"{thing}: an instrument has no data with it, expected --data")
    if data is None and run.bundled:
        if again or applied or preset or settings or set_:
            raise ReverbSynthError(f"{thing}: no data in a results bundle, expected --data")
        from reverbsynth.evaluation.evaluate import kept_report

        report = kept_report(run, stage)
        typer.echo(f"{thing}: a results bundle; this is the report it keeps, on its own data")
    else:
        from reverbsynth.evaluation.evaluate import evaluate as report_on

        data = data or Path(run.manifest["data_directory"])
        report = report_on(run or thing, data, chosen, stage, again)
    if output is not None:
        report.save(output)
    typer.echo(report.text())
    if applied:
        from reverbsynth.evaluation.effect_transfer import apply_to_held_out

        trials = apply_to_held_out(run, data, chosen, again)
        typer.echo(f"\nEffects applied to held-out notes\n{trials.table(chosen).to_string()}")
