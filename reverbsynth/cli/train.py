"""``reverbsynth train``."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from reverbsynth.cli.options import PresetOption, SetOption, SettingsOption, resolve


def train(
    run: Annotated[Path, typer.Argument(help="Run directory: a new one, or one to go on with.")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="Data set to train on; a new run builds RUN/data if none is named."
        ),
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
    from reverbsynth.data.build import build_data
    from reverbsynth.training.run import Run
    from reverbsynth.training.train import train as train_run

    named = preset is not None or settings is not None or bool(set_)
    begun = Run.open(run) if (run / "manifest.json").exists() else None
    if begun:
        begun.check_trainable()
    chosen = begun.settings if begun and not named else resolve(preset, settings, set_)
    if data is not None:
        source = data
    elif begun:
        source = Path(begun.manifest["data_directory"])
    else:
        source = build_data(chosen, run / "data")
    done = train_run(
        chosen,
        source,
        run,
        until_stage=until_stage,
        max_minutes=max_minutes,
        distribute=distribute,
    )
    if not done.writes:
        return
    if done.finished:
        typer.echo(f"finished: {run}, {done.manifest['images_seen']:,} images seen")
    else:
        again = ["reverbsynth", "train", str(run), *(["--data", str(data)] if data else [])]
        again += [] if distribute == "none" else ["--distribute", distribute]
        typer.echo(f"stopped at {done.manifest['images_seen']:,} images; to go on:")
        typer.echo(f"  {shlex.join(again)}")
