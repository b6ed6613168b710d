"""Training from start to end: what happens in a run, in a stage and in a step, top to bottom.

`train` opens what is needed. `TrainingLoop.train_stages` goes through the stages. Within a stage
Keras' ``fit`` takes step after step: `reverbsynth.gan.model.ProgressiveGAN.step` is the step
itself, and `TrainingLoop.on_train_batch_begin` and `TrainingLoop.on_train_batch_end` are what
happens around it.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from rich.console import Console

from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import DataError
from reverbsynth.files.atomic import remove_partial
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.gan import losses
from reverbsynth.gan.model import ProgressiveGAN, fade_in_real
from reverbsynth.gan.schedule import blocks, box_factor
from reverbsynth.progress import ProgressDisplay
from reverbsynth.provenance import cores
from reverbsynth.settings import Settings
from reverbsynth.training.checkpoints import Checkpoints, network_variables, restore, values
from reverbsynth.training.distribution import Devices, Distribute, find_devices
from reverbsynth.training.input_pipeline import BatchSequence, SpectrogramCache
from reverbsynth.training.interrupts import StopRequest
from reverbsynth.training.metrics import MetricsLog, trim_metrics
from reverbsynth.training.origin import Origin
from reverbsynth.training.run import Run
from reverbsynth.training.samples import draw_samples
from reverbsynth.training.stage_lengths import begun_at, first_stage, stage_lengths
from reverbsynth.training.stage_progress import StageProgress
from reverbsynth.training.tensorboard import EventFile

CONSISTENCY_NOTES = 4


def train(
    settings: Settings,
    data: DataSet | Path | str,
    run_directory: Path | str,
    *,
    origin: Origin | None = None,
    until_stage: int | None = None,
    max_minutes: float | None = None,
    distribute: Distribute = "none",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Run:
    """Train, or go on training, until the settings' last stage is done.

    The same call on a directory where training stopped, wherever it stopped, goes on from the last
    checkpoint. With settings whose schedule is longer, a finished run goes on too
    (`reverbsynth.training.stage_lengths.lengthened`). A call ends after ``until_stage``, or after
    ``max_minutes`` with a checkpoint. A loss that is no longer finite is a `DivergedError`.

    >>> brief = {"training.stable_images": 8, "training.batch": 4, "training.last_stage": 0}
    >>> run = train(Settings.preset("tiny", **brief), "data", "new_run")
    stage  0: ...
    >>> run.finished
    True

    A new run can begin from the trained networks of an ``origin``, at their own stage: earlier ones
    are left out of the settings, unless those already leave some out. It trains on the devices of
    ``distribute`` (`find_devices`); any of them goes on where another stopped. Keras ``callbacks``
    are called after the package's own work at each step and stage, and all times are read from the
    ``clock``, in seconds from any start.
    """
    # What is trained on. What a run says of its data is what the data set says of itself.
    if not isinstance(data, DataSet):
        data = DataSet.open(data)
    settings = settings.replace(data=data.manifest.get("settings", {}))
    devices = find_devices(distribute)
    devices.check(settings)
    if origin is not None:
        origin.check(settings)
        settings = begun_at(settings, origin.first_stage)
    facts = {
        "backend": keras.backend.backend(),
        "device": ", ".join(keras.distribution.list_devices()) or "unknown",
        "devices": devices.count,
        "cores": cores(),
        "origin": None if origin is None else origin.facts(),
    }
    # A directory that no other process trains. A signal waits for the step's end.
    directory = Path(run_directory)
    with ExitStack() as stack:
        if devices.chief:
            stack.enter_context(exclusive_lock(directory, "is being trained"))
        # The run directory: one that is there is opened, a new one is begun.
        run = devices.chief_first(lambda: Run.create(directory, settings, data, **facts))
        run.writes, settings = devices.chief, run.settings
        if run.finished:
            return run
        images = SpectrogramCache(data, settings.spectra)
        if not len(images):
            raise DataError(f"{data.directory}: the training split holds no notes")
        weights, targets = settings.losses, None
        if weights.imle_weight and (weights.imle_crossfades or settings.gan.timbres):
            targets = SpectrogramCache(data, settings.spectra, crossfades=weights.imle_crossfades)
        if run.writes:
            for folder in (directory, directory / "checkpoints"):
                remove_partial(folder)
        for cache in filter(None, (images, targets)):  # Long of many notes; a signal ends it.
            devices.chief_first(cache.prepare)
        stack.enter_context(devices.scope())
        stop = stack.enter_context(StopRequest())
        deadline = math.inf if max_minutes is None else clock() + 60 * max_minutes
        loop = TrainingLoop(run, images, targets, devices, stop, deadline, clock, origin)
        last = len(stage_lengths(settings.training)) - 1
        loop.train_stages(last if until_stage is None else min(until_stage, last), callbacks)
    return run


class TrainingLoop(keras.callbacks.Callback):
    """One call of `train`: its stages, and as a callback of ``fit`` what surrounds each step.

    Of several processes only one has ``run.writes``; the others compute and write nothing. The
    nearest generated images are drawn to ``targets``, where those are more than ``images``.
    """

    def __init__(
        self,
        run: Run,
        images: SpectrogramCache,
        targets: SpectrogramCache | None,
        devices: Devices,
        stop: StopRequest,
        deadline: float,
        clock: Callable[[], float],
        origin: Origin | None,
    ):
        super().__init__()
        self.run, self.images, self.targets, self.origin = run, images, targets, origin
        self.devices, self.stop, self.deadline, self.clock = devices, stop, deadline, clock
        self.checkpoints = Checkpoints(run.directory / "checkpoints")
        self.metrics = MetricsLog(run.metrics_path)
        self.interrupted = False
        # Seconds of training are counted from here, those of earlier sessions included.
        self.started = self.saved = clock()
        self.seconds_before = run.manifest["wall_seconds"]

    def train_stages(self, last: int, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Train stage after stage, up to and with ``last``, or until asked to stop."""
        run, settings, devices = self.run, self.run.settings, self.devices
        self.last = last
        # Begin where the last checkpoint stands: metrics of later steps are dropped.
        model, images_seen, stage_seconds = self.resume()
        labels = self.images.labels(run.labels)
        with ExitStack() as stack:
            if run.writes:
                trim_metrics(run.metrics_path, images_seen)
                self.events = stack.enter_context(closing(EventFile(run, images_seen)))
            while model.stage <= last and not run.finished:
                # The training images at the stage's own resolution; one process writes the file.
                factor = box_factor(blocks(model.stage))
                pixels = devices.chief_first(partial(self.images.at_resolution, factor))
                # Where the stage stands, by images or by the chief's clock.
                self.progress = StageProgress(
                    *(settings.training, model.stage, images_seen, stage_seconds),
                    lambda: devices.broadcast_from_chief(self.clock()),
                )
                if not self.progress.over:
                    # Batches in an order that depends on the seed and on the images seen alone.
                    seed, stop = settings.training_seed, self.progress.stop
                    order = (settings.training.batch, seed, images_seen, stop)
                    targets = None
                    if self.targets is not None:
                        more = devices.chief_first(partial(self.targets.at_resolution, factor))
                        asked = self.targets.conditions(settings.gan, run.labels)
                        timbres = self.targets.timbres(settings.gan.timbres or 1)
                        targets = BatchSequence(more, (asked, timbres), *order)
                    self.batches = BatchSequence(pixels, (labels,), *order, targets)
                    # All steps of the stage: model.step, between the two methods below.
                    with ProgressDisplay(estimates=False, get_time=self.clock) as self.bar:
                        devices.fit(model, self.batches, [self, *callbacks])
                    if self.interrupted:
                        return
                    # A checkpoint first: what follows takes a while, and may fail.
                    images_seen = self.progress.images_seen
                    self.save_checkpoint(model)
                # The finished stage leaves its weights, and samples to look at and hear.
                if run.writes:
                    samples = draw_samples(model, pixels, labels)
                    run.save_stage(model.stage, values(network_variables(model)), samples)
                    self.events.add_stage(model.stage, images_seen)
                # Grow: the next stage's model has these weights, new blocks and new optimizers.
                ends = run.manifest["stage_ends"][: model.stage]
                ends += [*[0] * (model.stage - len(ends)), images_seen]
                finished = model.stage == len(stage_lengths(settings.training)) - 1
                stage_seconds = self.progress.seconds if finished else 0.0
                if not finished:
                    model = model.next_stage()
                run.count(images_seen, self.seconds(), stage_ends=ends, finished=finished)
                # Last: a process killed before this does the end of the stage again.
                if run.writes:
                    self.checkpoints.save(model, images_seen, stage_seconds)
                if devices.any_process(self.stop.requested):
                    return

    def resume(self) -> tuple[ProgressiveGAN, int, float]:
        """The model as the last checkpoint has it, or a fresh one.

        With the images seen, and the seconds that the model's stage has trained.
        """
        run, checkpoint = self.run, self.checkpoints.latest()
        training, images = run.settings.training, run.manifest["images_seen"]
        if not checkpoint and (images or ("origin" in run.manifest and self.origin is None)):
            begun = f"{images:,} images were seen" if images else "it began from other networks"
            raise run.without_checkpoint(begun)
        stage = checkpoint.stage if checkpoint else first_stage(training)
        model = ProgressiveGAN(run.settings, run.labels, run.histogram, stage)
        if checkpoint:
            restore(model, checkpoint.state)
            if not model.is_last:  # As it was, perhaps, before the schedule was made longer.
                model.optimizer.lower_rates(0.0)
            return model, checkpoint.images, checkpoint.stage_seconds
        model.images_seen.assign(0)
        if self.origin is not None:
            self.origin.put_into(model)
            if run.writes:
                self.checkpoints.save(model, 0, 0.0)
        return model, 0, 0.0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin the display of this session's steps of the stage."""
        self.compiled: float | None = None  # When the first step, which compiles, had ended.
        self.task = self.bar.add_task("", total=1.0, visible=self.run.writes)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Set how far the stage is: images the model counts itself, the clock it is told."""
        self.progress.begin_step()
        if self.progress.by_minutes:
            self.model.stage_share.assign(self.progress.share)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Count, record and, where it is time, save the step that was taken."""
        progress, training = self.progress, self.run.settings.training
        progress.end_step()
        if self.compiled is None:
            self.compiled = self.clock()
        # A term that is not finite ends training, before a checkpoint can keep what caused it.
        terms: dict[str, Any] = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in terms.items():
            if not math.isfinite(value):
                self.metrics.flush()
                before = progress.images_seen - training.batch
                raise self.checkpoints.diverged(f"{name} is {value}", before)
        # A row of metrics.csv, the same in TensorBoard, and the display.
        if self.run.writes:
            row = {
                "images": progress.images_seen,
                "stage": progress.stage,
                "blend": round(progress.blend, 6),
                "seconds": round(self.seconds(), 3),
                **terms,
                **self.consistency(batch),
            }
            self.metrics.add(row)
            self.events.add_metrics(row)
            self.bar.update(self.task, completed=progress.share, description=self.line())
        # A signal or the deadline, in any process, stops all after this step, with a checkpoint.
        asked = self.stop.requested or self.clock() >= self.deadline
        self.interrupted = self.devices.any_process(asked)
        due = self.clock() - self.saved >= 60 * training.checkpoint_minutes
        if self.interrupted or due:
            self.save_checkpoint(self.model)
        if self.interrupted or progress.over:
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        """Write what is held back, and a line on the stage."""
        if self.run.writes:
            self.metrics.flush()
            self.events.flush()
            Console(highlight=False).print(self.line())

    def line(self) -> str:
        """The stage, images seen, and after two steps what is left, and their speed."""
        now, images = self.clock(), self.progress.images_seen - self.batches.start
        if self.compiled is None or images <= self.batches.batch:
            return str(self.progress)
        rate = (images - self.batches.batch) / max(now - self.compiled, 1e-9)
        left = min(self.progress.seconds_left(self.last, rate), max(self.deadline - now, 0.0))
        return f"{self.progress}, {left / 60:.1f} minutes to go, {rate:.1f} images/s"

    def save_checkpoint(self, model: ProgressiveGAN) -> None:
        """Write a checkpoint; metrics first, so that they are never behind it."""
        if self.run.writes:
            self.metrics.flush()
            self.checkpoints.save(model, self.progress.images_seen, self.progress.seconds)
            self.run.count(self.progress.images_seen, self.seconds())
        self.saved = self.clock()

    def seconds(self) -> float:
        """Seconds of training, those of earlier sessions included."""
        return self.seconds_before + self.clock() - self.started

    def consistency(self, batch: int) -> dict[str, Any]:
        """Griffin-Lim consistency of a few notes of the batch. It is costly: not in every step."""
        settings, images_seen = self.run.settings, self.progress.images_seen
        before = images_seen - settings.training.batch
        if before // settings.training.batch % settings.training.griffin_lim_every:
            return {"fake_consistency": "", "real_consistency": ""}
        model = self.model
        real, classes = (part[:CONSISTENCY_NOTES] for part in self.batches.own(batch))
        rng = np.random.default_rng([settings.training_seed, before])
        z = rng.standard_normal((len(real), settings.gan.latent_size), np.float32)
        labels = {name: classes[:, i] for i, name in enumerate(model.labels)}
        p = ops.convert_to_tensor(model.stage // 2 + self.progress.blend, "float32")
        shown = {
            "fake_consistency": model.generate(z, labels, p),
            "real_consistency": fade_in_real(ops.convert_to_tensor(real), p, model.stage),
        }
        measure = losses.griffin_lim_consistency
        return {key: float(measure(images, model.representation)) for key, images in shown.items()}
