"""The schedule as arithmetic."""

from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverbsynth.gan.schedule import Schedule, blocks, is_transition, stage_resolution
from reverbsynth.settings import Settings, TrainingSettings

pytestmark = pytest.mark.one_backend

schedules = st.builds(
    TrainingSettings,
    stable_images=st.integers(1, 1000),
    transition_images=st.integers(1, 1000),
    last_stage=st.integers(0, 12),
    total_images=st.integers(13_000, 20_000),
).map(Schedule.of)


def stage_at(schedule: Schedule, images: int) -> int:
    """The stage of the step that follows so many images."""
    return min(bisect_right(schedule.ends, images), schedule.last_stage)


def progress_at(schedule: Schedule, images: int) -> float:
    """Progress p of the step that follows so many images."""
    stage = stage_at(schedule, images)
    return stage // 2 + (schedule.share(stage, images) if is_transition(stage) else 0.0)


def test_the_papers_nine_stages():
    schedule = Schedule.of(Settings.preset("paper").training)
    assert schedule.total == 9 * 800_000
    assert schedule.span(8) == (6_400_000, 7_200_000)


def test_the_last_possible_stage_goes_on_to_the_total():
    brief = {"stable_images": 10, "transition_images": 10, "total_images": 1000}
    assert Schedule.of(TrainingSettings(**brief, last_stage=12)).span(12) == (120, 1000)


def test_a_total_ends_training_early_and_a_fade_in_stays_short():
    brief = {"stable_images": 10, "transition_images": 10, "total_images": 14}
    schedule = Schedule.of(TrainingSettings(**brief))
    assert schedule.last_stage == 1
    assert schedule.span(1) == (10, 14)
    assert schedule.share(1, 14) == 0.4


@pytest.mark.parametrize(
    ("stage", "expected", "size"),
    [(0, 1, (2, 16)), (8, 5, (32, 256)), (11, 7, (128, 1024)), (12, 7, (128, 1024))],
)
def test_blocks_and_sizes(stage, expected, size):
    assert blocks(stage) == expected
    assert stage_resolution(stage) == size


@given(schedules)
def test_stages_follow_each_other_without_gap(schedule):
    assert schedule.span(0)[0] == 0
    for stage in range(schedule.last_stage):
        assert schedule.span(stage)[1] == schedule.span(stage + 1)[0]


@given(schedules, st.integers(0, 30_000))
def test_progress_stays_between_the_blocks_of_its_stage(schedule, images):
    stage = stage_at(schedule, images)
    progress = progress_at(schedule, images)
    top = blocks(stage) - 1
    assert (top - 1 if is_transition(stage) else top) <= progress <= top


@given(schedules, st.integers(0, 30_000), st.integers(0, 30_000))
def test_progress_never_falls(schedule, one, other):
    first, second = sorted((one, other))
    assert progress_at(schedule, first) <= progress_at(schedule, second)
