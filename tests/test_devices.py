"""Several devices: the first ten steps' losses are those of one device with the same batch."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from reverbsynth.devices import Devices, devices
from reverbsynth.errors import ReverbSynthError
from reverbsynth.runs import Run
from reverbsynth.settings import Settings
from reverbsynth.training import train

RELATIVE, ABSOLUTE = 1e-5, 1e-4
"""How far losses may be apart, for the order of sums; those near zero are differences."""

STEPS = 10


@pytest.fixture(scope="module")
def ten_steps(small_settings, small_data, tmp_path_factory):
    """Settings of ten steps, and a run of them on one device."""
    settings = small_settings.replace(
        **{
            "training.stable_images": 40,
            "training.last_stage": 0,
            "losses.nearest": 1.0,
        }
    )
    folder = tmp_path_factory.mktemp("one")
    (folder / "settings.yaml").write_text(settings.to_yaml())
    return folder / "settings.yaml", train(settings, small_data, folder / "run")


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
    assert len(found) == STEPS
    assert list(found) == list(expected)
    assert np.allclose(found, expected, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    # What the networks make of the same latent vectors has moved, and to the same place.
    first, last = (run.samples(0).generated for run in (one, several))
    assert np.abs(first - last).max() < 1e-3 * np.abs(first).max()


def test_two_devices_of_one_machine(ten_steps, small_data, tmp_path):
    settings, one = ten_steps
    # JAX makes its processors from XLA_FLAGS, TensorFlow from the script's first argument.
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    run = tmp_path / "run"
    finish(start(run, small_data.directory, settings, 2, "mirrored", **flags))
    assert Run.open(run).manifest["devices"] == 2
    same_losses(one, Run.open(run))


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="TensorFlow's own")
def test_two_processes_over_loopback(ten_steps, small_data, tmp_path):
    settings, one = ten_steps
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    workers = []
    for index in (1, 0):
        place = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        arguments = (tmp_path / "run", small_data.directory, settings, 1, "multi-worker")
        workers.append(start(*arguments, TF_CONFIG=place))
    for worker in workers:
        finish(worker)
    same_losses(one, Run.open(tmp_path / "run"))


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
        devices("multi-worker")
