"""Stages by the clock: when they end, how they blend, and that they go on where they stopped."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.training import stage_progress
from reverbsynth.training.callbacks import CheckpointCallback, MetricsLog
from reverbsynth.training.run import Run
from reverbsynth.training.train import train

MINUTES = [3 / 60, 4 / 60, 2 / 60]


@pytest.fixture
def timed(small_settings):
    return small_settings.replace(**{"training.stage_minutes": MINUTES})


@pytest.fixture(autouse=True)
def a_second_a_step(monkeypatch):
    """A clock that a step moves on by one second, so that what must come out is known."""
    now = 0.0
    record = MetricsLog.on_train_batch_end

    def tick(self, batch, logs=None):
        nonlocal now
        record(self, batch, logs)
        now += 1.0

    monkeypatch.setattr(MetricsLog, "on_train_batch_end", tick)
    monkeypatch.setattr(stage_progress, "time", SimpleNamespace(monotonic=lambda: now))


def test_stages_end_by_the_clock_and_blend_by_it(timed, small_data, tmp_path, monkeypatch):
    used = []
    record = MetricsLog.on_train_batch_end

    def look(self, batch, logs=None):
        used.append(float(keras.ops.convert_to_numpy(self.model.progress())) - self.leg.stage // 2)
        record(self, batch, logs)

    monkeypatch.setattr(MetricsLog, "on_train_batch_end", look)
    run = train(timed, small_data, tmp_path / "run")
    metrics = run.metrics()
    batch = timed.training.batch
    # A sitting's first step takes no time: it compiles.
    assert list(metrics.stage) == [0] * 4 + [1] * 5 + [2] * 3
    assert list(metrics.images) == list(range(batch, 12 * batch + 1, batch))
    assert metrics.blend.tolist() == [0] * 4 + [0, 0.25, 0.5, 0.75, 1.0] + [0] * 3
    assert used == metrics.blend.tolist()
    assert run.finished
    assert Run.open(run.directory).schedule.ends == (4 * batch, 9 * batch, 12 * batch)
    assert run.schedule.span(1) == (4 * batch, 9 * batch)


def test_a_stage_goes_on_where_it_stopped(timed, small_data, tmp_path, monkeypatch):
    count = 0
    end = CheckpointCallback.on_train_batch_end

    def stop_soon(self, batch, logs=None):
        nonlocal count
        count += 1
        self.interrupted = self.interrupted or count in (2, 7)
        end(self, batch, logs)

    monkeypatch.setattr(CheckpointCallback, "on_train_batch_end", stop_soon)
    for _ in range(3):
        run = train(timed, small_data, tmp_path / "run", until_stage=1)
    metrics = run.metrics()
    assert run.stages == [0, 1]
    assert (np.diff(metrics.images) == timed.training.batch).all()
    # A new sitting's first step begins at the time at which the last one stopped.
    assert list(metrics.stage) == [0] * 5 + [1] * 6
    assert metrics.blend[metrics.stage == 1].tolist() == [0, 0.25, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("minutes", [[1.0], [1.0, 2.0, 0.0]])
def test_every_stage_needs_its_minutes(small_settings, minutes):
    with pytest.raises(ReverbSynthError, match=r"stage_minutes.*expected|stage_minutes.*greater"):
        small_settings.replace(**{"training.stage_minutes": minutes})
