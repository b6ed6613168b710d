"""The schedule as arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverbsynth.gan.schedule import Schedule, blocks, is_transition, stage_resolution
from reverbsynth.settings import Settings

schedules = st.builds(
    Schedule,
    stable=st.integers(1, 1000),
    transition=st.integers(1, 1000),
    last_stage=st.integers(0, 12),
    total=st.integers(13_000, 20_000),
)


def test_the_papers_nine_stages():
    schedule = Schedule.of(Settings.preset("paper").training)
    assert schedule.end == 9 * 800_000
    assert schedule.span(8) == (6_400_000, 7_200_000)


def test_the_last_possible_stage_goes_on_to_the_total():
    assert Schedule(10, 10, 12, 1000).span(12) == (120, 1000)


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
    stage = schedule.stage_at(images)
    progress = schedule.progress(images)
    top = blocks(stage) - 1
    assert (top - 1 if is_transition(stage) else top) <= progress <= top


@given(schedules, st.integers(0, 30_000), st.integers(0, 30_000))
def test_progress_never_falls(schedule, one, other):
    first, second = sorted((one, other))
    assert schedule.progress(first) <= schedule.progress(second)
