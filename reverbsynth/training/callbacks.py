"""What happens beside the steps: metrics, progress, checkpoints, and stopping in time."""

import csv
import io
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import write_text
from reverbsynth.gan import losses
from reverbsynth.gan.model import fade_in_real
from reverbsynth.training.checkpoints import Checkpoints
from reverbsynth.training.distribution import Devices
from reverbsynth.training.input_pipeline import BatchSequence
from reverbsynth.training.interrupts import StopRequest
from reverbsynth.training.run import Run
from reverbsynth.training.stage_progress import StageByImages

FLUSH_SECONDS = 5.0
CONSISTENCY_NOTES = 4


class Clock:
    """Seconds of training, those of earlier sittings included."""

    def __init__(self, before: float = 0.0):
        self._before, self._start = before, time.monotonic()

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._start


@dataclass(frozen=True)
class FitContext:
    """What the callbacks of one `fit` share: a stage, or the rest of one."""

    run: Run
    stage: int
    batches: BatchSequence
    pace: StageByImages
    clock: Clock
    checkpoints: Checkpoints
    devices: Devices


class MetricsLog(keras.callbacks.Callback):
    """Appends a row to ``metrics.csv`` for every step.

    Columns: images seen after the step, stage, blend (weight of the block that comes in),
    seconds of training, and all loss terms. Griffin-Lim consistency costs an inverse transform at
    full size and is measured every ``training.griffin_lim_every`` steps, on notes of its own.

    Raises
    ------
    ReverbSynthError
        From `fit`, when a term is no longer finite.
    """

    def __init__(self, leg: FitContext):
        super().__init__()
        self.leg = leg
        self.last: dict = {}
        self._rows: list[dict] = []
        self._flushed = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        training = self.leg.run.settings.training
        before = self.leg.batches.start + batch * training.batch
        terms = {name: float(value) for name, value in logs.items()}
        for name, value in terms.items():
            if not math.isfinite(value):
                self.flush()
                raise self.leg.checkpoints.diverged(f"{name} is {value}", before)
        progress = self.leg.pace.progress
        terms["fake_consistency"] = terms["real_consistency"] = ""
        due = (before // training.batch) % training.griffin_lim_every == 0
        if due and self.leg.run.writes:
            terms.update(self._consistency(batch, before, progress))
        facts = {
            "images": before + training.batch,
            "stage": self.leg.stage,
            "blend": round(self.leg.pace.blend, 6),
            "seconds": round(self.leg.clock.seconds(), 3),
        }
        self.last = {**facts, **terms}
        self._rows.append(self.last)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Append the rows held back, in one write."""
        if not self._rows:
            return
        if not self.leg.run.writes:
            self._rows.clear()
            return
        path = self.leg.run.metrics_path
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self._rows[0]), lineterminator="\n")
        if not path.exists():
            writer.writeheader()
        writer.writerows(self._rows)
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ReverbSynthError(f"{path}: cannot be written ({error.strerror})") from error
        self._rows.clear()
        self._flushed = time.monotonic()

    def on_train_end(self, logs=None):
        self.flush()

    def _consistency(self, batch: int, images: int, progress: float) -> dict[str, float]:
        model = self.model
        rng = np.random.default_rng([self.leg.run.settings.seed, images])
        real, labels = self.leg.batches[batch]
        n = min(CONSISTENCY_NOTES, len(real))
        z = rng.standard_normal((n, model.settings.gan.latent_size), np.float32)
        asked = {name: labels[:n, i] for i, name in enumerate(model.labels)}
        p = ops.convert_to_tensor(progress, "float32")
        shown = {
            "fake": model.generate(ops.convert_to_tensor(z), asked, p),
            "real": fade_in_real(ops.convert_to_tensor(real[:n]), p, model.stage),
        }
        return {
            f"{kind}_consistency": float(
                losses.griffin_lim_consistency(model.full_size(images), model.representation)
            )
            for kind, images in shown.items()
        }


class CheckpointCallback(keras.callbacks.Callback):
    """Writes checkpoints by the clock, and stops training after the step it is asked to.

    A request to stop and a limit of minutes both end in a checkpoint.

    Parameters
    ----------
    stop : StopRequest
    deadline : float, optional
        `time.monotonic` value after which to stop.
    """

    def __init__(
        self, leg: FitContext, metrics: MetricsLog, stop: StopRequest, deadline: float | None = None
    ):
        super().__init__()
        self.leg, self.metrics, self.stop, self.deadline = leg, metrics, stop, deadline
        self.interrupted = False
        self._saved = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        late = self.deadline is not None and time.monotonic() >= self.deadline
        self.interrupted = self.interrupted or self.stop.asked or late
        self.interrupted = self.leg.devices.any(self.interrupted)
        due = self.leg.run.settings.training.checkpoint_minutes * 60
        if self.interrupted or time.monotonic() - self._saved >= due:
            self.save()
        if self.interrupted:
            self.model.stop_training = True

    def save(self) -> None:
        """Write a checkpoint; metrics first, so that they are never behind it."""
        self.metrics.flush()
        self._saved = time.monotonic()
        if not self.leg.run.writes:
            return
        images = self.leg.pace.images_seen
        self.leg.checkpoints.save(self.model, images, self.leg.pace.seconds)
        self.leg.run.update(images_seen=images, wall_seconds=round(self.leg.clock.seconds(), 3))
        self._saved = time.monotonic()


class ProgressReport(keras.callbacks.Callback):
    """Images seen, stage, blend, images per second and time left.

    A live bar in a terminal; elsewhere (notebooks, logs) a line when a stage ends.
    """

    def __init__(self, leg: FitContext):
        super().__init__()
        self.leg = leg
        self._bar: Progress | None = None

    def on_train_begin(self, logs=None):
        self._began = self.leg.clock.seconds()
        console = Console(file=sys.stderr)
        if console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=console, transient=True)
            self._bar.start()
            pace = self.leg.pace
            self._task = self._bar.add_task("", total=pace.total, completed=pace.done)

    def on_train_batch_end(self, batch, logs=None):
        if self._bar:
            done = self.leg.pace.done
            self._bar.update(self._task, completed=done, description=self._line())

    def on_train_end(self, logs=None):
        self.release()
        Console(highlight=False).print(self._line())

    def release(self) -> None:
        """Give the terminal back, however `fit` ended."""
        if self._bar:
            self._bar.stop()

    def _line(self) -> str:
        pace = self.leg.pace
        rate = (pace.images_seen - self.leg.batches.start) / max(
            self.leg.clock.seconds() - self._began, 1e-9
        )
        text = f"stage {self.leg.stage:2d}"
        text += f" (block comes in at {pace.blend:.0%})" if pace.blend else ""
        return f"{text}: {pace.images_seen:,} images seen, {pace.left}, {rate:.1f} images/s"


def trim_metrics(path: Path, images: int) -> None:
    """Drop the rows of steps after a checkpoint, and a last line cut short."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [lines[0]] if lines and images > 0 else []
    for line in lines[1:] if kept else []:
        first = line.partition(",")[0]
        if line.endswith("\n") and first.isdigit() and int(first) <= images:
            kept.append(line)
    if kept:
        write_text(path, "".join(kept))
    else:
        path.unlink()
