"""``reverbsynth train``."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Option, echo

from reverbsynth.cli import options
from reverbsynth.errors import RunError
from reverbsynth.settings import Settings, differences, parse_overrides, presets
from reverbsynth.settings.settings import first_of, flat

if TYPE_CHECKING:
    from reverbsynth.training.origin import Origin


def train(
    run: Annotated[Path, Argument(help="Run directory: a new one, or one to continue.")],
    data: Annotated[
        Path | None, Option(help="Data set to train on; by default a new run builds RUN/data.")
    ] = None,
    preset: options.Preset = None,
    settings: options.SettingsFile = None,
    set_: options.Overrides = None,
    seed: Annotated[
        int | None,
        Option(min=0, help="Another network of the same notes: --set training.seed=SEED."),
    ] = None,
    from_: Annotated[
        Path | None,
        Option(
            "--from",
            metavar="RUN_OR_INSTRUMENT",
            help="Begin a new run with trained networks, at their stage: a run, results bundle, "
            "instrument (such as laptop, which comes with the package), or original GANSynth "
            "directory. Settings are its own, or its preset's, if none are named.",
        ),
    ] = None,
    minutes: Annotated[
        float | None, Option(min=0.01, help="Minutes that the whole schedule should take.")
    ] = None,
    more: Annotated[
        float | None,
        Option(
            help="Train a run longer: so many more minutes (or images, where its schedule counts "
            "those) of its last stage, or shared by the stages that --until-stage adds."
        ),
    ] = None,
    until_stage: Annotated[
        int | None, Option(min=0, max=12, help="Stop after this stage, or add it.")
    ] = None,
    max_minutes: Annotated[
        float | None, Option(min=0, help="Stop after this many minutes.")
    ] = None,
    distribute: Annotated[
        Literal["none", "mirrored", "multi-worker"],
        Option(help="One device, all of this machine, or those that TF_CONFIG lists."),
    ] = "none",
) -> None:
    """Train a progressive GAN, or continue a training where it stopped."""
    from reverbsynth.data.build import build_data
    from reverbsynth.data.dataset import DataSet
    from reverbsynth.training.run import Run
    from reverbsynth.training.stage_lengths import begun_at, in_minutes, is_longer, lengthened
    from reverbsynth.training.train import train as train_run

    started = Run.open(run) if (run / "manifest.json").exists() else None
    origin, own = _origin(from_) if from_ is not None else (None, None)
    if started:
        started.check_trainable()
        own = started.settings
    chosen = options.resolve(preset, settings, set_, own=own)
    if seed is not None and seed != chosen.training_seed:
        chosen = chosen.replace(**{"training.seed": seed})
    if origin is not None:
        chosen = begun_at(chosen, origin.first_stage)
    if minutes is not None:
        chosen = in_minutes(chosen, minutes)
    if started is None and more is not None:
        raise RunError(f"{run}: not a run yet, expected one that --more can make longer")
    if started and is_longer(chosen, started.settings):  # As it was begun: what is longer is meant.
        chosen = started.settings
    chosen = lengthened(chosen, more, until_stage)
    notes = data or (started.data_directory if started else build_data(chosen, run / "data"))
    asked = {name for name in flat(parse_overrides(set_ or [])) if name.startswith("data.")}
    if asked:  # Notes are as they were built.
        notes = notes if isinstance(notes, DataSet) else DataSet.open(notes)
        built = chosen.replace(data=notes.manifest["settings"])
        if changed := {k: v for k, v in differences(built, chosen).items() if k in asked}:
            raise RunError(f"{notes.directory}: a data set of other settings: {first_of(changed)}")
    limits: dict[str, Any] = {"until_stage": until_stage, "max_minutes": max_minutes}
    trained = train_run(chosen, notes, run, origin=origin, distribute=distribute, **limits)
    images = f"{trained.manifest['images_seen']:,} images"
    if not trained.writes:
        return
    if trained.finished:
        echo(f"finished: {run}, {images} seen")
    else:
        command = ["reverbsynth", "train", str(run), *(["--data", str(data)] if data else [])]
        command += [] if distribute == "none" else ["--distribute", distribute]
        echo(f"stopped at {images}; to go on:\n  {shlex.join(command)}")


def _origin(source: Path) -> "tuple[Origin, Settings]":
    """Networks to begin with, and the settings that fit them."""
    from reverbsynth.instrument import file
    from reverbsynth.instrument.shipped import find
    from reverbsynth.training.origin import Origin
    from reverbsynth.training.run import Run
    from reverbsynth.training.stage_lengths import begun_at

    source = find(source)
    if source.is_dir() and not (source / "experiment.json").exists():
        run = Run.open(source)
        origin = Origin.of_run(run)
        # A run that ended with a transition has no length for the stage that its networks begin.
        ends = origin.first_stage > run.settings.training.last_stage
        own = run.settings if ends else begun_at(run.settings, origin.first_stage, named=False)
        return origin, own
    if source.is_dir():
        origin = Origin.of_original(source)
    else:
        origin = Origin(source.name, file.read(source), {})
    shape = {name: getattr(origin.generator, name).model_dump() for name in ("gan", "spectra")}
    known = origin.generator.facts.get("preset")
    base = Settings.preset(known if known in presets() else options.DEFAULT_PRESET)
    return origin, base.replace(**shape)
