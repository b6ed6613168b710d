"""Several devices: the first ten steps' losses are those of one device with the same batch."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import Settings
from reverbsynth.training.distribution import Devices, find_devices
from reverbsynth.training.run import Run
from reverbsynth.training.train import train

RELATIVE, ABSOLUTE = 1e-5, 1e-4
"""How far losses may be apart, for the order of sums; those near zero are differences."""

STEPS = 10


@pytest.fixture
def ten_steps(small_settings, small_data, tmp_path):
    """Settings of ten steps, with others in places, and a run of them on one device."""

    def make(**others) -> tuple[Settings, Run]:
        settings = small_settings.replace(
            **{"training.stable_images": 40, "training.last_stage": 0, **others}
        )
        return settings, train(settings, small_data, tmp_path / "one")

    return make


def written(settings: Settings, folder: Path) -> Path:
    path = folder / "settings.yaml"
    path.write_text(settings.to_yaml())
    return path


def start(run: Path, data: Path, settings: Path, processors: int, kind: str, **environment):
    script = Path(__file__).parent / "distributed_train.py"
    options = ["--data", str(data), "--settings", str(settings), "--distribute", kind]
    return subprocess.Popen(
        [sys.executable, str(script), str(processors), "train", str(run), *options],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process) -> None:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output[-3000:]


def same_losses(one: Run, several: Run) -> None:
    expected, found = (run.metrics().drop(columns="seconds") for run in (one, several))
    assert len(expected) == STEPS
    assert list(found) == list(expected)
    assert np.allclose(found[:STEPS], expected, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    # What the networks make of the same latent vectors has moved, and to the same place.
    first, last = (run.samples(0).generated for run in (one, several))
    assert np.abs(first - last).max() < 1e-3 * np.abs(first).max()


@pytest.mark.distributed
def test_two_devices_of_one_machine(ten_steps, small_data, tmp_path):
    settings, one = ten_steps(**{"losses.penalty_every": 2, "losses.imle_weight": 1.0})
    # JAX makes its processors from XLA_FLAGS, TensorFlow from the script's first argument.
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    run, file = tmp_path / "run", written(settings, tmp_path)
    finish(start(run, small_data.directory, file, 2, "mirrored", **flags))
    assert Run.open(run).manifest["devices"] == 2
    assert Run.open(run).metrics().gradient_penalty.nunique() == STEPS / 2
    same_losses(one, Run.open(run))


@pytest.mark.distributed
def test_two_processes_over_loopback(ten_steps, small_data, tmp_path):
    settings, one = ten_steps(**{"training.griffin_lim_every": STEPS})
    # Ten steps of a second each by the chief's clock, and half of another stage. The other's clock
    # is a quarter as fast; by it, no stage would be half done.
    timed = {"training.stage_minutes": [9 / 60, 4 / 60], "training.last_stage": 1}
    file = written(settings.replace(**timed), tmp_path)
    for stop in ({"LAST_STEP": "13"}, {}):
        cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
        workers = []
        for index, clock in ((1, {"SECONDS_A_STEP": "0.25", **stop}), (0, {"SECONDS_A_STEP": "1"})):
            place = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
            arguments = (tmp_path / "run", small_data.directory, file, 1, "multi-worker")
            workers.append(start(*arguments, TF_CONFIG=place, **clock))
        for worker in workers:
            finish(worker)
        assert Run.open(tmp_path / "run").finished == (not stop)
    run = Run.open(tmp_path / "run")
    metrics = run.metrics()
    # SIGTERM to the other process stopped both; a sitting's first step takes no time.
    assert metrics.blend[STEPS:].tolist() == [0, 0.25, 0.5, 0.5, 0.75, 1.0]
    assert run.manifest["stage_ends"] == [40, 64]
    same_losses(one, run)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def test_a_batch_must_divide_among_devices():
    three = Devices()
    three.count = 3
    with pytest.raises(ReverbSynthError, match=r"training\.batch: found 64, expected a multiple"):
        three.check(Settings())


def test_several_machines_need_their_list(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ReverbSynthError, match=r"multi-worker|TF_CONFIG: not set"):
        find_devices("multi-worker")
