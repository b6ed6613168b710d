"""How far a stage is, and when it ends: by images seen, or by the minutes it has trained."""

from collections.abc import Callable

from reverbsynth.gan.schedule import Schedule, is_transition
from reverbsynth.settings import TrainingSettings
from reverbsynth.training.stage_lengths import cost, stage_lengths

_ENDLESS = 2**31 - 1  # Images that no stage reaches: the model counts them in 32 bits.


class StageProgress:
    """A stage of so many images, as in the paper, or of so many minutes (``stage_minutes``).

    Minutes count over all sessions, in each from the end of its first step: it compiles, and would
    make the fade-in jump. ``seconds`` were trained in earlier sessions, with ``images_seen``.
    ``share`` (0 to 1) has passed at the step being taken; the stage ends when ``stop`` images are
    seen, out of reach where minutes decide.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        stage: int,
        images_seen: int,
        seconds: float,
        clock: Callable[[], float],
    ):
        self.stage, self.images_seen, self.share = stage, images_seen, 0.0
        self.by_minutes = settings.stage_minutes is not None
        self._batch, self._clock = settings.batch, clock
        self.seconds = self._before = seconds
        self._started: float | None = None
        self._schedule, self._lengths = Schedule.of(settings), stage_lengths(settings)
        self._limit = 60 * self._lengths[stage]
        self.stop = _ENDLESS if self.by_minutes else self._schedule.span(stage)[1]

    def begin_step(self) -> None:
        """Set the `share` of the step that begins now."""
        if self.by_minutes:
            passed = 0.0 if self._started is None else self._clock() - self._started
            self.share = min((self._before + passed) / self._limit, 1.0)
        else:
            self.share = self._schedule.share(self.stage, self.images_seen)

    def end_step(self) -> None:
        """Count the step that ends now."""
        self.images_seen += self._batch
        if self.by_minutes:
            now = self._clock()
            self._started = now if self._started is None else self._started
            self.seconds = self._before + now - self._started

    @property
    def blend(self) -> float:
        """Weight of the new block in the step being taken; 0 in a stable stage."""
        return self.share if is_transition(self.stage) else 0.0

    @property
    def over(self) -> bool:
        """Whether the stage is at its end."""
        if self.by_minutes:
            return self.seconds >= self._limit
        return self.images_seen >= self.stop

    def seconds_left(self, last: int, images_per_second: float) -> float:
        """Seconds to the end of stage ``last``; where images decide, an estimate from the speed."""
        later = range(self.stage + 1, last + 1)
        if self.by_minutes:
            return max(self._limit - self.seconds, 0) + sum(60 * self._lengths[s] for s in later)
        alike = sum(self._lengths[stage] * cost(stage) for stage in later) / cost(self.stage)
        images = max(self.stop - self.images_seen, 0) + alike
        return images / max(images_per_second, 1e-9)

    def __str__(self) -> str:
        fading = f" (new block at {self.blend:.0%})" if self.blend else ""
        return f"stage {self.stage:2d}{fading}: {self.images_seen:,} images seen"
