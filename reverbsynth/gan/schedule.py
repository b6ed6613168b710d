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
    """When each stage starts and ends, in images seen.

    A step belongs to the stage and progress of the images seen before it.

    Parameters
    ----------
    ends : tuple of int
        Images seen at the end of each stage, if the total allows.
    total : int
        Images after which training ends at the latest.
    """

    ends: tuple[int, ...]
    total: int

    @classmethod
    def of(cls, settings: TrainingSettings) -> "Schedule":
        """The schedule that settings describe.

        Stage 12 has no successor and goes on to the total, as in the original, unless
        ``stage_images`` says how long it is.
        """
        lengths, kinds = settings.stage_images, (settings.stable_images, settings.transition_images)
        stages = range(settings.last_stage + 1)
        ends = list(accumulate(lengths or [kinds[is_transition(stage)] for stage in stages]))
        if settings.last_stage == LAST_STAGE and lengths is None:
            ends[-1] = settings.total_images
        return cls(tuple(ends), settings.total_images)

    @property
    def last_stage(self) -> int:
        """The last stage that the total lets begin."""
        return sum(start < self.total for start in (0, *self.ends[:-1])) - 1

    def span(self, stage: int) -> tuple[int, int]:
        """Images seen at a stage's start and end."""
        start, end = (0, *self.ends)[stage], self.ends[stage]
        return min(start, self.total), min(end, self.total)

    def share(self, stage: int, images: int) -> float:
        """How much of a stage has passed after so many images, 0 to 1.

        A transition that the total cuts short stays short of its end.
        """
        start, end = self.span(stage)
        end = self.ends[stage] if is_transition(stage) else end
        return min(max(images - start, 0) / max(end - start, 1), 1.0)
