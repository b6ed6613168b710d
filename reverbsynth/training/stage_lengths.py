"""How long the stages of a training are, and settings in which they are longer, or fewer."""

import math
from collections.abc import Sequence

from reverbsynth.errors import SettingsError
from reverbsynth.gan.schedule import LAST_STAGE, Schedule, blocks, is_transition
from reverbsynth.settings import Settings, TrainingSettings, differences

_SCHEDULE = {
    *("stable_images", "transition_images", "total_images"),
    *("last_stage", "stage_images", "stage_minutes"),
}
"""Settings of training that decide the stages' lengths."""


def stage_lengths(training: TrainingSettings) -> list[float]:
    """The minutes of each stage; its images where ``stage_minutes`` is not set."""
    if training.stage_minutes is not None:
        return list(training.stage_minutes)
    schedule = Schedule.of(training)
    return [end - start for start, end in map(schedule.span, range(schedule.last_stage + 1))]


def first_stage(training: TrainingSettings) -> int:
    """The first stage that is trained."""
    return next(stage for stage, length in enumerate(stage_lengths(training)) if length)


def cost(stage: int) -> int:
    """What an image of a stage costs in time, compared with other stages: about twice as much
    with every block (1.5 to 2.9 times were measured, by block and width)."""
    return 2 ** blocks(stage)


def in_minutes(settings: Settings, minutes: float) -> Settings:
    """The settings with so many minutes in all, divided as before: images by their `cost`."""
    lengths = stage_lengths(settings.training)
    if settings.training.stage_minutes is None:
        lengths = [length * cost(stage) for stage, length in enumerate(lengths)]
    total = sum(lengths)
    share = minutes / (round(total, 5) or total)  # Rounded, lengths of so many minutes stay.
    each = [round(length * share, 6) for length in lengths]
    return settings.replace(training={"last_stage": len(each) - 1, "stage_minutes": each})


def begun_at(settings: Settings, stage: int, named: bool = True) -> Settings:
    """The settings without the stages before one.

    If they already leave some out, that is meant where a user ``named`` their lengths.
    """
    lengths = stage_lengths(settings.training)
    if stage == 0 or (named and lengths[0] == 0):
        return settings
    if stage >= len(lengths):
        found = f"training.last_stage: found {len(lengths) - 1}"
        raise SettingsError(f"{found}, expected {stage}, where these networks are, or more")
    return _with_lengths(settings, [0] * stage + lengths[stage:])


def lengthened(settings: Settings, more: float | None, last_stage: int | None = None) -> Settings:
    """The settings with a longer schedule: the last stage longer, or stages up to another added.

    ``more`` counts minutes, or images where the schedule counts those. Added stages share it
    evenly; without it, where no stage was made shorter than others of its kind, they are as long as
    those. A last stage in which a block faded in is followed by that block's own stage, after it
    faded in to the end where the total had cut it short.
    """
    training, lengths = settings.training, stage_lengths(settings.training)
    by_minutes, last = training.stage_minutes is not None, len(lengths) - 1
    if last_stage is None or last_stage <= last:
        if more is None:
            return settings
        last_stage = last + is_transition(last)
    if is_transition(last) and not by_minutes:  # A block fades in to its end, before more follows.
        lengths[last] = Schedule.of(training).rise(last)[1]
    added = range(last + 1, min(last_stage, LAST_STAGE) + 1)
    at_least = 0.0 if by_minutes else training.batch * max(len(added), 1)
    if more is not None and not (more > 0 and at_least <= more < math.inf):
        batches = f"images, at least a batch of {training.batch} for each stage"
        unit = "minutes, more than 0" if by_minutes else batches
        raise SettingsError(f"more: found {more:g}, expected {unit}")
    if more is None:
        full = (training.stable_images, training.transition_images)
        # Where the settings do not say it, the last stage's is what the total leaves.
        known = enumerate(lengths if training.stage_images is not None else lengths[:-1])
        shorter = any(0 < length < full[is_transition(stage)] for stage, length in known)
        if added and (by_minutes or shorter):
            stages = f"stages {last + 1} to {last_stage}"
            unit = "minutes" if by_minutes else "images"
            raise SettingsError(f"{stages}: have no {unit} yet, expected some more")
        lengths += [full[is_transition(stage)] for stage in added]
    elif added:
        each = more / len(added)
        lengths += [each if by_minutes else int(each)] * len(added)
    else:
        lengths[-1] += more if by_minutes else int(more)
    return _with_lengths(settings, lengths)


def is_longer(old: Settings, new: Settings) -> bool:
    """Whether the settings differ in nothing but a schedule that goes on where the old one ends."""
    names = {name.removeprefix("training.") for name in differences(old, new)}
    before, after = stage_lengths(old.training), stage_lengths(new.training)
    by_minutes = [settings.training.stage_minutes is not None for settings in (old, new)]
    return (
        names <= _SCHEDULE
        and len(set(by_minutes)) == 1
        and len(after) >= len(before)
        and after[: len(before) - 1] == before[:-1]
        and after[len(before) - 1] >= before[-1]
    )


def _with_lengths(settings: Settings, lengths: Sequence[float]) -> Settings:
    by_minutes = settings.training.stage_minutes is not None
    total = max(settings.training.total_images, 0 if by_minutes else int(sum(lengths)))
    name = "stage_minutes" if by_minutes else "stage_images"
    changed = {"last_stage": len(lengths) - 1, "total_images": total, name: list(lengths)}
    return settings.replace(training=changed)
