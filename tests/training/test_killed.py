"""Training that is killed, or finds the disk full, goes on as if nothing had happened."""

import os
import random
import resource
import signal
import time
from pathlib import Path

import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.training.run import Run
from reverbsynth.training.train import train
from tests.forks import Forks

from .test_train import same_state

pytestmark = [pytest.mark.kill, pytest.mark.slow]

KILLS = 20


class Sittings:
    """``reverbsynth train`` on one run directory, one process after another."""

    def __init__(self, forks: Forks, run: Path, data: Path, settings: Path):
        self.run, self._forks, self.status = run, forks, forks.status
        self._arguments = ["train", str(run), "--data", str(data), "--settings", str(settings)]

    def start(self) -> int:
        """Begin a sitting: its process id."""
        return self._forks.start(self._arguments)

    def written(self) -> set[str]:
        """The whole checkpoints' names, which a step each has: another set after every one."""
        return {path.name for path in (self.run / "checkpoints").glob("[!.]*")}


@pytest.fixture
def long_settings(small_settings):
    """A checkpoint after every step, and more steps than 20 sittings take."""
    return small_settings.replace(
        **{
            "training.stable_images": 240,
            "training.transition_images": 80,
            "training.last_stage": 1,
            "training.checkpoint_minutes": 1e-6,
            "training.griffin_lim_every": 20,
        }
    )


def test_a_run_killed_twenty_times_equals_an_uninterrupted_one(
    forks, long_settings, small_data, tmp_path
):
    """Ten times at any moment from the start on, ten times shortly after a first checkpoint: in a
    step, while a checkpoint or metrics are written, or between two stages.
    """
    whole = train(long_settings, small_data, tmp_path / "whole")
    settings = tmp_path / "settings.yaml"
    settings.write_text(long_settings.to_yaml())
    sittings = Sittings(forks, tmp_path / "run", small_data.directory, settings)
    moments = random.Random(0)
    steps = []
    for kill in range(KILLS):
        before = sittings.written()
        pid = sittings.start()
        if kill % 2:
            patience = time.monotonic() + 300
            while sittings.written() == before:
                assert time.monotonic() < patience
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.1))
        else:
            time.sleep(moments.uniform(0, 1.5))
        os.kill(pid, signal.SIGKILL)
        assert sittings.status(pid) == -signal.SIGKILL
        steps.append(Run.open(sittings.run).manifest["images_seen"] if kill else 0)
    assert len(set(steps)) >= KILLS // 2, steps
    assert sittings.status(sittings.start()) == 0
    finished = Run.open(sittings.run)
    assert finished.finished
    same_state(whole, finished)
    assert list(finished.directory.rglob(".*partial*")) == []


def test_a_full_disk_is_one_line_and_training_goes_on(
    small_run, small_settings, small_data, tmp_path
):
    """No file may grow beyond a size: a write fails as on a full disk, part way through. First it
    is that of a small file, then of a checkpoint.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (3_000, 100_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            with pytest.raises(ReverbSynthError, match=r"run/.*cannot be written"):
                train(small_settings, small_data, tmp_path / "run")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    same_state(small_run, train(small_settings, small_data, tmp_path / "run"))
