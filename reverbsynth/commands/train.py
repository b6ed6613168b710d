"""``reverbsynth train``."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from reverbsynth.commands import PresetOption, SetOption, SettingsOption, resolve


def train(
    run: Annotated[Path, typer.Argument(help="Run directory: a new one, or one to go on with.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Data set to train on; built in RUN/data if none is named."),
    ] = None,
    preset: PresetOption = None,
    settings: SettingsOption = None,
    set_: SetOption = None,
    until_stage: Annotated[
        int | None, typer.Option("--until-stage", min=0, max=12, help="Stop after this stage.")
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0, help="Stop after so many minutes.")
    ] = None,
    distribute: Annotated[
        Literal["none", "mirrored", "multi-worker"],
        typer.Option(
            "--distribute", help="One device, all of this machine, or those that TF_CONFIG lists."
        ),
    ] = "none",
) -> None:
    """Train a progressive GAN, or go on training where it stopped."""
    from reverbsynth.data import build_data
    from reverbsynth.runs import Run
    from reverbsynth.training import train as train_run

    named = preset is not None or settings is not None or bool(set_)
    if (run / "manifest.json").exists() and not named:
        chosen = Run.open(run).settings
    else:
        chosen = resolve(preset, settings, set_)
    source = data if data is not None else build_data(chosen, run / "data")
    done = train_run(
        chosen,
        source,
        run,
        until_stage=until_stage,
        max_minutes=max_minutes,
        distribute=distribute,
    )
    if done.finished:
        typer.echo(f"finished: {run}, {done.manifest['images_seen']:,} images seen")
    else:
        again = ["reverbsynth", "train", str(run), *(["--data", str(data)] if data else [])]
        again += [] if distribute == "none" else ["--distribute", distribute]
        typer.echo(f"stopped at {done.manifest['images_seen']:,} images; to go on:")
        typer.echo(f"  {shlex.join(again)}")
