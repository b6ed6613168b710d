"""How far a stage is, and when it ends: by images seen, or by the minutes it has trained."""

from collections.abc import Callable

from reverbsynth.gan.schedule import Schedule, is_transition
from reverbsynth.settings import TrainingSettings

_ENDLESS = 2**31 - 1
"""Images that no stage reaches: the model counts them in 32 bits."""


class StageProgress:
    """A stage of so many images, as in the paper, or of so many minutes (``stage_minutes``).

    Minutes count over all sessions, in each from the end of its first step: it compiles, and would
    make the fade-in jump.

    Parameters
    ----------
    settings : TrainingSettings
    stage : int
    images_seen : int
        Before this session's first step.
    seconds : float
        Seconds this stage has already trained in earlier sessions. Ignored where images decide.
    clock : callable
        Seconds from any start. Where minutes decide, it is read once or twice a step.

    Attributes
    ----------
    share : float
        How much of the stage has passed at the step being taken, 0 to 1.
    stop : int
        Images seen at which the stage ends; out of reach where minutes decide.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        stage: int,
        images_seen: int,
        seconds: float,
        clock: Callable[[], float],
    ):
        self.stage, self.images_seen, self.seconds = stage, images_seen, seconds
        self.share = 0.0
        self.by_minutes = settings.stage_minutes is not None
        self._batch, self._clock = settings.batch, clock
        self._before = seconds
        self._started: float | None = None
        self._schedule = Schedule.of(settings)
        self._limits = [60 * minutes for minutes in settings.stage_minutes or ()]
        self.stop = _ENDLESS if self.by_minutes else self._schedule.span(stage)[1]

    def begin_step(self) -> None:
        """Set the `share` of the step that begins now."""
        if self.by_minutes:
            passed = 0.0 if self._started is None else self._clock() - self._started
            self.share = min((self._before + passed) / self._limits[self.stage], 1.0)
        else:
            self.share = self._schedule.share(self.stage, self.images_seen)

    def end_step(self) -> None:
        """Count the step that ends now."""
        self.images_seen += self._batch
        if self.by_minutes:
            now = self._clock()
            if self._started is None:
                self._started = now
            self.seconds = self._before + now - self._started

    @property
    def blend(self) -> float:
        """Weight of the new block in the step being taken; 0 in a stable stage."""
        return self.share if is_transition(self.stage) else 0.0

    @property
    def over(self) -> bool:
        """Whether the stage is at its end."""
        if self.by_minutes:
            return self.seconds >= self._limits[self.stage]
        return self.images_seen >= self.stop

    @property
    def total(self) -> float:
        """Length of all stages: images, or seconds."""
        return sum(self._limits) if self.by_minutes else self._schedule.end

    @property
    def done(self) -> float:
        """How much of `total` is done."""
        if not self.by_minutes:
            return self.images_seen
        return sum(self._limits[: self.stage]) + min(self.seconds, self._limits[self.stage])

    def __str__(self) -> str:
        text = f"stage {self.stage:2d}"
        text += f" (new block at {self.blend:.0%})" if self.blend else ""
        left = max(0, self.total - self.done)
        left_text = f"{left / 60:.1f} minutes" if self.by_minutes else f"{left:,}"
        return f"{text}: {self.images_seen:,} images seen, {left_text} to go"


def last_stage(settings: TrainingSettings) -> int:
    """The last stage that is trained; by images, the last that ``total_images`` lets begin."""
    by_minutes = settings.stage_minutes is not None
    return settings.last_stage if by_minutes else Schedule.of(settings).last_stage
