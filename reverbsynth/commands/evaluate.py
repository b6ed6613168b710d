"""``reverbsynth evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.commands import PresetOption, SetOption, SettingsOption, resolve


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
    """Measure pitch, reverb, spectrum, distribution and memory against real notes."""
    from reverbsynth.errors import ReverbSynthError
    from reverbsynth.evaluation.report import evaluate as report_on
    from reverbsynth.runs import Run
    from reverbsynth.settings import parse_overrides

    run = Run.open(thing) if thing.is_dir() else None
    if run is not None and preset is None and settings is None:
        chosen = run.settings.replace(**parse_overrides(set_ or []))
    else:
        chosen = resolve(preset, settings, set_)
    if data is None:
        if run is None:
            raise ReverbSynthError(f"{thing}: an instrument has no data with it, expected --data")
        if run.bundled:
            raise ReverbSynthError(f"{thing}: no data in a results bundle, expected --data")
        data = Path(run.manifest["data_directory"])
    report = report_on(run or thing, data, chosen, stage, again)
    if output is not None:
        report.save(output)
    typer.echo(report.text())
    if applied:
        from reverbsynth.evaluation.applied import apply_to_held_out

        if run is None:
            raise ReverbSynthError(f"{thing}: --applied is for a run, whose directory keeps it")
        trials = apply_to_held_out(run, data, chosen, again)
        typer.echo(f"\nEffects applied to held-out notes\n{trials.table(chosen).to_string()}")
