"""Stages by the clock: when they end, how they blend, and that they go on where they stopped."""

import keras
import numpy as np
import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run
from reverbsynth.training.stage_progress import StageProgress
from reverbsynth.training.train import train

from .test_train import StopIn

MINUTES = [3 / 60, 4 / 60, 2 / 60]


@pytest.fixture
def timed(small_settings):
    return small_settings.replace(**{"training.stage_minutes": MINUTES})


class StepClock(keras.callbacks.Callback):
    """A clock that a step moves on by one second, so that what must come out is known.

    Its seconds are NumPy's, as those of a simulation may be.
    """

    now = np.float64(0.0)

    def __call__(self) -> float:
        return self.now

    def on_train_batch_end(self, batch, logs=None):
        self.now += 1.0


def test_stages_end_by_the_clock_and_blend_by_it(timed, small_data, tmp_path):
    clock, used = StepClock(), []

    def note(batch, logs):
        used.append(
            float(keras.ops.convert_to_numpy(look.model.progress())) - look.model.stage // 2
        )

    look = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    run = train(timed, small_data, tmp_path / "run", callbacks=[look, clock], clock=clock)
    metrics = run.metrics()
    batch = timed.training.batch
    # A session's first step takes no time: it compiles.
    assert list(metrics.stage) == [0] * 4 + [1] * 5 + [2] * 3
    assert list(metrics.images) == list(range(batch, 12 * batch + 1, batch))
    assert metrics.blend.tolist() == [0] * 4 + [0, 0.25, 0.5, 0.75, 1.0] + [0] * 3
    assert used == metrics.blend.tolist()
    assert run.finished
    assert Run.open(run.directory).schedule.ends == (4 * batch, 9 * batch, 12 * batch)
    assert run.schedule.span(1) == (4 * batch, 9 * batch)


def test_a_stage_goes_on_where_it_stopped(timed, small_data, tmp_path):
    clock, stop = StepClock(), StopIn(2, 7)
    for _ in range(3):
        run = train(
            timed,
            small_data,
            tmp_path / "run",
            until_stage=1,
            callbacks=[stop, clock],
            clock=clock,
        )
    metrics = run.metrics()
    assert run.stages == [0, 1]
    assert (np.diff(metrics.images) == timed.training.batch).all()
    # A new session's first step begins at the time at which the last one stopped.
    assert list(metrics.stage) == [0] * 5 + [1] * 6
    assert metrics.blend[metrics.stage == 1].tolist() == [0, 0.25, 0.25, 0.5, 0.75, 1.0]


def test_a_log_gets_a_line_a_minute_with_the_time_that_is_left(
    small_settings, small_data, tmp_path, capsys
):
    """Each step takes a second; two and a half minutes are allowed of a stage of five."""
    brief = {"stage_minutes": [5.0], "last_stage": 0, "griffin_lim_every": 1000}
    settings, clock = small_settings.replace(training=brief), StepClock()
    options = {"callbacks": [clock], "clock": clock, "max_minutes": 2.5}
    train(settings, small_data, tmp_path / "run", **options)
    lines = [line for line in capsys.readouterr().err.splitlines() if "to go" in line]
    assert [line.split(", ")[1] for line in lines] == ["1.5 minutes to go", "0.5 minutes to go"]


def test_by_images_the_time_left_counts_what_a_block_more_costs():
    training = Settings.preset("paper", **{"training.last_stage": 2}).training
    progress = StageProgress(training, 1, 1_200_000, 0.0, lambda: 0.0)
    # Half of stage 1 at 100 images a second; stage 2 has images of the same size.
    assert progress.seconds_left(2, 100) == pytest.approx(4_000 + 8_000)
    assert progress.seconds_left(1, 100) == pytest.approx(4_000)
    first = StageProgress(training, 0, 0, 0.0, lambda: 0.0)
    assert first.seconds_left(1, 100) == pytest.approx(8_000 + 2 * 8_000)


@pytest.mark.parametrize("minutes", [[1.0], [1.0, 2.0, 0.0]])
def test_every_stage_needs_its_minutes(small_settings, minutes):
    with pytest.raises(ReverbSynthError, match=r"stage_minutes.*expected|stage_minutes.*greater"):
        small_settings.replace(**{"training.stage_minutes": minutes})
