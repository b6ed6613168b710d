"""How far a stage is, and when it ends: by images seen, or by the minutes it has trained."""

import time
from collections.abc import Callable

import keras

from reverbsynth.gan import schedule
from reverbsynth.gan.schedule import Schedule
from reverbsynth.settings import TrainingSettings

_ENDLESS = 2**31 - 1
"""Images that no stage reaches: the model counts them in 32 bits."""


class StageByImages(keras.callbacks.Callback):
    """A stage of so many images: the paper's schedule.

    The callback comes first in `fit`, so that the others find what it says of the step.

    Parameters
    ----------
    settings : TrainingSettings
    stage : int
    images_seen : int
        Before this sitting.
    seconds : float
        That the stage has trained in earlier sittings; not counted on where images decide.

    Attributes
    ----------
    stop : int
        Images seen at which the stage ends.
    progress : float
        Of the step being taken (see `reverbsynth.gan.schedule`).
    """

    def __init__(
        self, settings: TrainingSettings, stage: int, images_seen: int, seconds: float = 0.0
    ):
        super().__init__()
        self.settings, self.stage = settings, stage
        self.images_seen = images_seen
        self.seconds = seconds
        self._schedule = Schedule.of(settings)
        self.stop = self._schedule.span(stage)[1]
        self.progress = stage / 2

    @property
    def blend(self) -> float:
        """Weight of the block that comes in, in the step being taken."""
        return self.progress - self.stage // 2 if schedule.is_transition(self.stage) else 0.0

    @property
    def over(self) -> bool:
        """Whether the stage has had its share."""
        return self.images_seen >= self.stop

    @property
    def total(self) -> float:
        """Length of all stages, in the unit of `done`."""
        return self._schedule.end

    @property
    def done(self) -> float:
        """How much of `total` is done."""
        return self.images_seen

    @property
    def left(self) -> str:
        """What is left of `total`, in words."""
        return f"{max(0, self._schedule.end - self.images_seen):,} to go"

    def on_train_batch_begin(self, batch, logs=None):
        self.progress = self._schedule.progress(self.images_seen)

    def on_train_batch_end(self, batch, logs=None):
        self.images_seen += self.settings.batch


class StageByMinutes(StageByImages):
    """A stage of so many minutes (``training.stage_minutes``).

    Minutes count from the end of a sitting's first step, which compiles, over all sittings. A step
    of a transition stage blends by the share of the stage's minutes that had passed when it began:
    the model is told it, and the metrics record it.

    Parameters
    ----------
    agree : callable
        What the clock says -> what it says in every process that takes part, each of which asks.

    Attributes
    ----------
    seconds : float
        That the stage had trained when the last step ended.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        stage: int,
        images_seen: int,
        seconds: float = 0.0,
        agree: Callable[[float], float] = float,
    ):
        super().__init__(settings, stage, images_seen, seconds)
        self._agree = agree
        self._before = seconds
        self._started: float | None = None
        self._limit = 60 * settings.stage_minutes[stage]
        self.stop = _ENDLESS

    @property
    def over(self) -> bool:
        return self.seconds >= self._limit

    @property
    def total(self) -> float:
        return 60 * sum(self.settings.stage_minutes)

    @property
    def done(self) -> float:
        return 60 * sum(self.settings.stage_minutes[: self.stage]) + min(self.seconds, self._limit)

    @property
    def left(self) -> str:
        return f"{(self.total - self.done) / 60:.1f} minutes to go"

    def on_train_batch_begin(self, batch, logs=None):
        if not schedule.is_transition(self.stage):
            return
        passed = 0.0 if self._started is None else self._now() - self._started
        share = min((self._before + passed) / self._limit, 1.0)
        self.model.share.assign(share)
        self.progress = (self.stage - 1) / 2 + share

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        # A sitting's first step compiles; counted, it would make the blend jump.
        now = self._now()
        if self._started is None:
            self._started = now
        self.seconds = self._before + now - self._started
        if self.over:
            self.model.stop_training = True

    def _now(self) -> float:
        return self._agree(time.monotonic())


def stage_progress(
    settings: TrainingSettings,
    stage: int,
    images_seen: int,
    seconds: float = 0.0,
    agree: Callable[[float], float] = float,
) -> StageByImages:
    """The pace that the settings ask for."""
    if settings.stage_minutes is None:
        return StageByImages(settings, stage, images_seen, seconds)
    return StageByMinutes(settings, stage, images_seen, seconds, agree)


def last_stage(settings: TrainingSettings) -> int:
    """The last stage that is trained; by images, the last that ``total_images`` lets begin."""
    by_clock = settings.stage_minutes is not None
    return settings.last_stage if by_clock else Schedule.of(settings).last_stage
