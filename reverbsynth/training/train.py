"""Training: growing through the stages, from the first step or from the last checkpoint."""

import json
import os
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import keras
import numpy as np

from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import remove_partial
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.gan import schedule
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.settings import Settings
from reverbsynth.training.callbacks import (
    CheckpointCallback,
    Clock,
    FitContext,
    MetricsLog,
    ProgressReport,
    trim_metrics,
)
from reverbsynth.training.checkpoints import Checkpoints, network_variables, restore, values
from reverbsynth.training.distribution import Devices, Distribute, devices
from reverbsynth.training.input_pipeline import BatchSequence, SpectrogramCache
from reverbsynth.training.interrupts import StopRequest
from reverbsynth.training.run import Run
from reverbsynth.training.stage_progress import last_stage, stage_progress
from reverbsynth.training.tensorboard import EventFile, EventLog, add_stage


def train(
    settings: Settings,
    data: DataSet | Path | str,
    run_directory: Path | str,
    *,
    until_stage: int | None = None,
    max_minutes: float | None = None,
    distribute: Distribute = "none",
) -> Run:
    """Train, or go on training, until the settings' last stage is done.

    The same call on a directory where training stopped, wherever it stopped, goes on from the last
    checkpoint.

    Parameters
    ----------
    settings : Settings
    data : DataSet or path
        A built data set.
    run_directory : path
        New, or that of a run of the same settings and data.
    until_stage : int, optional
        Stop when this stage is finished.
    max_minutes : float, optional
        Stop after so many minutes of this call, with a checkpoint.
    distribute : {"none", "mirrored", "multi-worker"}
        Devices to train on (see `reverbsynth.training.distribution`). Any of them goes on where
        another stopped.

    Returns
    -------
    Run
        ``run.finished`` tells whether all stages are done.

    Raises
    ------
    ReverbSynthError
        For a directory of another run, or that another process trains; damaged data, labels that
        do not fit, or a loss that is no longer finite; for devices that are not there, or among
        which a batch does not divide.
    """
    if not isinstance(data, DataSet):
        data = DataSet.open(data)
    # What a run says of its data is what the data set says of itself.
    settings = settings.replace(data=data.manifest.get("settings", {}))
    engine = devices(distribute)
    engine.check(settings)
    facts = {
        "backend": keras.backend.backend(),
        "device": _device(),
        "devices": engine.count,
        "cores": os.cpu_count(),
    }
    run = engine.in_turn(lambda: Run.create(run_directory, settings, data, **facts))
    run.writes = engine.chief
    if run.finished:
        return run
    images = SpectrogramCache(data, settings.spectra)
    if not len(images):
        raise ReverbSynthError(f"{data.directory}: the training split holds no notes")
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    last = last_stage(settings.training)
    last = last if until_stage is None else min(until_stage, last)
    with ExitStack() as stack:
        events = None
        if run.writes:
            stack.enter_context(exclusive_lock(run.directory, "is being trained"))
            for folder in (run.directory, run.directory / "checkpoints"):
                remove_partial(folder)
            events = stack.enter_context(closing(EventFile(run.directory / "tensorboard")))
        stack.enter_context(engine.scope())
        stop = stack.enter_context(StopRequest())
        _grow(run, images, events, engine, last, stop, deadline)
    return run


def _grow(
    run: Run,
    images: SpectrogramCache,
    events: EventFile | None,
    engine: Devices,
    last: int,
    stop: StopRequest,
    deadline: float | None,
) -> None:
    """Train stage after stage, up to and with ``last``, or until the deadline or asked to stop."""
    training = run.settings.training
    checkpoints = Checkpoints(run.directory / "checkpoints")
    model, images_seen, stage_seconds = _resume(run, checkpoints)
    if run.writes:
        trim_metrics(run.metrics_path, images_seen)
    clock = Clock(run.manifest["wall_seconds"])
    labels = images.labels(run.labels)
    while model.stage <= last and not run.finished:
        factor = schedule.box_factor(schedule.blocks(model.stage))
        pixels = engine.in_turn(lambda factor=factor: images.at(factor))
        step = stage_progress(training, model.stage, images_seen, stage_seconds, engine.of_chief)
        if not step.over:
            batches = BatchSequence(
                pixels, labels, training.batch, run.settings.seed, images_seen, step.stop
            )
            leg = FitContext(run, model.stage, batches, step, clock, checkpoints, engine)
            metrics = MetricsLog(leg)
            keeper = CheckpointCallback(leg, metrics, stop, deadline)
            report = ProgressReport(leg)
            reports = [EventLog(run, events, metrics), report] if run.writes else []
            try:
                engine.fit(model, batches, [step, metrics, keeper, *reports])
            finally:
                report.release()
            if keeper.interrupted:
                return
            images_seen = step.images_seen
            # What follows takes a while, and may fail.
            keeper.save()
        stage_seconds = 0.0
        if run.writes:
            run.save_stage(
                model.stage, values(network_variables(model)), _samples(run, model, pixels, labels)
            )
            add_stage(events, run, model.stage, images_seen)
        ends = [*run.manifest["stage_ends"][: model.stage], images_seen]
        finished = model.stage == last_stage(training)
        if not finished:
            model = model.next_stage()
        run.update(
            images_seen=images_seen,
            stage_ends=ends,
            wall_seconds=round(clock.seconds(), 3),
            finished=finished,
        )
        if run.writes:
            # Last: whoever is killed before it does the end of this stage again.
            checkpoints.save(model, images_seen, stage_seconds)
        if engine.any(stop.asked):
            return


def _resume(run: Run, checkpoints: Checkpoints) -> tuple[ProgressiveGAN, int, float]:
    """The model as the last checkpoint left it, or a fresh one, with the images it has seen and
    the seconds that its stage has trained.
    """
    found = checkpoints.latest()
    if not found and run.manifest["images_seen"]:
        raise ReverbSynthError(
            f"{run.directory}: {run.manifest['images_seen']:,} images were seen, but there is no "
            "checkpoint to go on from; expected the whole run directory"
        )
    model = ProgressiveGAN(run.settings, run.labels, run.histogram, found.stage if found else 0)
    if not found:
        return model, 0, 0.0
    restore(model, found.state)
    return model, found.images, found.stage_seconds


def _samples(
    run: Run, model: ProgressiveGAN, pixels: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
    """Training images, evenly picked, and what the average makes of the same labels."""
    n = min(run.settings.training.samples, len(pixels))
    rows = np.linspace(0, len(pixels) - 1, n).round().astype(int)
    # The same latent vectors at every stage, so that stages can be compared.
    z = np.random.default_rng(run.settings.seed).standard_normal(
        (n, run.settings.gan.latent_size), np.float32
    )
    asked = {name: labels[rows, i] for i, name in enumerate(model.labels)}
    generated = model.generate(
        z, asked, float(schedule.blocks(model.stage) - 1), model.ema_generator
    )
    shown = {name: [model.labels[name][k] for k in classes] for name, classes in asked.items()}
    return {
        "real": pixels[rows],
        "generated": keras.ops.convert_to_numpy(generated),
        "labels": json.dumps(shown),
    }


def _device() -> str:
    devices = keras.distribution.list_devices()
    return ", ".join(devices) if devices else "unknown"
