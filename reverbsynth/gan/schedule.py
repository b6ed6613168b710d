"""The progressive schedule as arithmetic: stages, blocks, resolutions and progress.

Stages run from 0 to 12. An even stage is stable: it trains the blocks it has at full weight. An
odd one fades in the next block. Progress p counts blocks from 0: p = 2 means that block 3 is
fully in, p = 1.375 that block 3 has weight 0.375. Karras et al., "Progressive Growing of GANs"
(2018); Engel et al., "GANSynth" (2019).
"""

from dataclasses import dataclass, replace

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

    A step belongs to the stage and progress of the images seen before it. The last stage is the
    last that the total lets begin.

    Parameters
    ----------
    stable, transition : int
        Images of each even and of each odd stage.
    last_stage : int
    total : int
        Images after which training ends at the latest.
    stage_images : tuple of int, optional
        Images of each stage up to the last, in place of ``stable`` and ``transition``.
    """

    stable: int
    transition: int
    last_stage: int
    total: int
    stage_images: tuple[int, ...] | None = None

    @classmethod
    def of(cls, settings: TrainingSettings) -> "Schedule":
        whole = cls(
            settings.stable_images,
            settings.transition_images,
            settings.last_stage,
            settings.total_images,
            settings.stage_images,
        )
        begun = [s for s in range(whole.last_stage + 1) if whole.span(s)[0] < whole.total]
        return replace(whole, last_stage=begun[-1])

    @property
    def end(self) -> int:
        """Images after which a training by images is over."""
        return self.span(self.last_stage)[1]

    def span(self, stage: int) -> tuple[int, int]:
        """Images seen at a stage's start and end.

        Stage 12 has no successor and goes on to the total, as in the original.
        """
        if self.stage_images is None:
            start = (stage + 1) // 2 * self.stable + stage // 2 * self.transition
            endless = stage == LAST_STAGE
        else:
            start, endless = sum(self.stage_images[:stage]), False
        end = self.total if endless else start + self.length(stage)
        return min(start, self.total), min(end, self.total)

    def length(self, stage: int) -> int:
        """Images of a stage that neither goes on to the total nor is cut short by it."""
        if self.stage_images is not None:
            return self.stage_images[stage]
        return self.transition if is_transition(stage) else self.stable

    def share(self, stage: int, images: int) -> float:
        """How much of a stage has passed after so many images, 0 to 1.

        A transition that the total cuts short stays short of its end.
        """
        start, end = self.span(stage)
        length = self.length(stage) if is_transition(stage) else end - start
        return min(max(images - start, 0) / max(length, 1), 1.0)

    def stage_at(self, images: int) -> int:
        """The stage of the step that follows so many images."""
        stage = 0
        while stage < self.last_stage and images >= self.span(stage)[1]:
            stage += 1
        return stage

    def progress(self, images: int) -> float:
        """Progress p of the step that follows so many images."""
        stage = self.stage_at(images)
        return stage // 2 + (self.share(stage, images) if is_transition(stage) else 0.0)


@dataclass(frozen=True)
class RecordedSchedule:
    """When each stage of a run by the clock started and ended, in images seen.

    Parameters
    ----------
    ends : tuple of int
        Images seen at the end of each finished stage.
    """

    ends: tuple[int, ...]

    @property
    def last_stage(self) -> int:
        """The last finished stage."""
        return len(self.ends) - 1

    def span(self, stage: int) -> tuple[int, int]:
        """Images seen at a stage's start and end."""
        return (0, *self.ends)[stage], self.ends[stage]
