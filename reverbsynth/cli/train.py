"""``reverbsynth train``."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from reverbsynth.cli.options import PresetOption, SetOption, SettingsOption, resolve


def train(
    run: Annotated[Path, typer.Argument(help="Run directory: a new one, or one to continue.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Data set to train on; by default a new run builds RUN/data."),
    ] = None,
    preset: PresetOption = None,
    settings: SettingsOption = None,
    set_: SetOption = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", min=0, help="Another network of the same notes: --set training.seed=SEED."
        ),
    ] = None,
    until_stage: Annotated[
        int | None, typer.Option("--until-stage", min=0, max=12, help="Stop after this stage.")
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0, help="Stop after this many minutes.")
    ] = None,
    distribute: Annotated[
        Literal["none", "mirrored", "multi-worker"],
        typer.Option(
            "--distribute", help="One device, all of this machine, or those that TF_CONFIG lists."
        ),
    ] = "none",
) -> None:
    """Train a progressive GAN, or continue a training where it stopped."""
    from reverbsynth.data.build import build_data
    from reverbsynth.data.dataset import DataSet
    from reverbsynth.training.run import Run
    from reverbsynth.training.train import train as train_run

    started = Run.open(run) if (run / "manifest.json").exists() else None
    if started:
        started.check_trainable()
    if started and preset is None and settings is None and not set_:
        chosen = started.settings
    else:
        chosen = resolve(preset, settings, set_)
    if seed is not None and seed != chosen.training_seed:
        chosen = chosen.replace(**{"training.seed": seed})
    if data is None and started:
        data_set: DataSet | Path = Path(started.manifest["data_directory"])
    else:
        data_set = data or build_data(chosen, run / "data")
    trained = train_run(
        chosen,
        data_set,
        run,
        until_stage=until_stage,
        max_minutes=max_minutes,
        distribute=distribute,
    )
    images = f"{trained.manifest['images_seen']:,} images"
    if not trained.writes:
        return
    if trained.finished:
        typer.echo(f"finished: {run}, {images} seen")
    else:
        command = ["reverbsynth", "train", str(run), *(["--data", str(data)] if data else [])]
        command += [] if distribute == "none" else ["--distribute", distribute]
        typer.echo(f"stopped at {images}; to go on:\n  {shlex.join(command)}")
