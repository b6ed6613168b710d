"""The progressive schedule as arithmetic: stages, blocks, resolutions and progress.

Stages run from 0 to 12. An even stage is stable: it trains the blocks it has at full weight. An
odd one fades in the next block. Progress p counts blocks from 0: p = 2 means that block 3 is
fully in, p = 1.375 that block 3 has weight 0.375. Karras et al., "Progressive Growing of GANs"
(2018); Engel et al., "GANSynth" (2019).
"""

from dataclasses import dataclass
from itertools import accumulate

from reverbsynth.settings import TrainingSettings

N_BLOCKS = 7
LAST_STAGE = 2 * (N_BLOCKS - 1)


def blocks(stage: int) -> int:
    """Blocks that a stage has."""
    return (stage + 1) // 2 + 1


def is_transition(stage: int) -> bool:
    """Whether a stage fades in a new block."""
    return stage % 2 == 1


def resolution(block: int) -> tuple[int, int]:
    """Frames and bins at which a block (1 to 7) works: 2x16 to 128x1024."""
    return 2**block, 2 ** (block + 3)


def stage_resolution(stage: int) -> tuple[int, int]:
    """Frames and bins of a stage's images."""
    return resolution(blocks(stage))


def box_factor(block: int) -> int:
    """How many full-size pixels per side one pixel of the block stands for."""
    return 2 ** (N_BLOCKS - block)


@dataclass(frozen=True)
class Schedule:
    """When each stage ends, if the total allows, and when training does, in images seen.

    A step belongs to the stage and progress of the images seen before it.
    """

    ends: tuple[int, ...]
    total: int

    @classmethod
    def of(cls, settings: TrainingSettings) -> "Schedule":
        """The schedule that settings describe, with ends for stages beyond their last one too.

        Stage 12 has no successor and goes on to the total, as in the original, unless
        ``stage_images`` says how long it is.
        """
        kinds = (settings.stable_images, settings.transition_images)
        lengths = [kinds[is_transition(stage)] for stage in range(LAST_STAGE + 1)]
        if settings.stage_images is not None:
            lengths[: settings.last_stage + 1] = settings.stage_images
        ends = list(accumulate(lengths))
        if settings.stage_images is None:
            ends[LAST_STAGE] = max(settings.total_images, ends[LAST_STAGE - 1])
        return cls(tuple(ends), min(settings.total_images, ends[settings.last_stage]))

    @property
    def last_stage(self) -> int:
        """The last stage that the total lets begin."""
        return sum(start < self.total for start in (0, *self.ends[:-1])) - 1

    def span(self, stage: int) -> tuple[int, int]:
        """Images seen at a stage's start and end."""
        start, end = (0, *self.ends)[stage], self.ends[stage]
        return min(start, self.total), min(end, self.total)

    def rise(self, stage: int) -> tuple[int, int]:
        """Where a stage's share is 0, and how many images later it is 1.

        A transition that the total cuts short stays short of its end.
        """
        start, end = (0, *self.ends)[stage], self.ends[stage]
        return start, max((end if is_transition(stage) else min(end, self.total)) - start, 1)

    def share(self, stage: int, images: int) -> float:
        """How much of a stage has passed after so many images, 0 to 1."""
        start, length = self.rise(stage)
        return min(max(images - start, 0) / length, 1.0)


def final_progress(settings: TrainingSettings, stage: int) -> float:
    """Progress p of a finished stage: of whole blocks, unless the total cuts a transition short."""
    if settings.stage_minutes is not None or not is_transition(stage):
        return blocks(stage) - 1.0
    schedule = Schedule.of(settings)
    return stage // 2 + schedule.share(stage, schedule.span(stage)[1])
