"""Several devices: the first ten steps' losses are those of one device with the same batch."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import Settings
from reverbsynth.training.distribution import Devices, find_devices
from reverbsynth.training.input_pipeline import BatchSequence
from reverbsynth.training.run import Run
from reverbsynth.training.train import train
from tests.forks import Forks

from . import distributed_train

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


class Machine:
    """Processes that train one run, on so many logical processors each."""

    def __init__(self, forks: Forks, folder: Path, data: Path, settings: Path):
        self.run, self._forks, self._folder = folder / "run", forks, folder
        self._options = ["--data", str(data), "--settings", str(settings), "--distribute"]
        self._begun: dict[int, Path] = {}

    def start(self, processors: int, kind: str, **environment: str) -> None:
        said = self._folder / f"said-{len(self._begun)}.txt"
        pid = self._forks.start(
            [str(processors), "train", str(self.run), *self._options, kind],
            said=str(said),
            main=distributed_train.__name__,
            environment=environment,
        )
        self._begun[pid] = said

    def finish(self) -> None:
        for pid, said in self._begun.items():
            assert self._forks.status(pid) == 0, said.read_text()[-3000:]
        self._begun.clear()


def same_losses(one: Run, several: Run) -> None:
    expected, found = (run.metrics().drop(columns="seconds") for run in (one, several))
    assert len(expected) == STEPS
    assert list(found) == list(expected)
    assert np.allclose(found[:STEPS], expected, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    # What the networks make of the same latent vectors has moved, and to the same place.
    first, last = (run.samples(0).generated for run in (one, several))
    assert np.abs(first - last).max() < 1e-3 * np.abs(first).max()


@pytest.mark.distributed
def test_two_devices_of_one_machine(forks, ten_steps, small_data, tmp_path):
    settings, one = ten_steps(**{"losses.penalty_every": 2, "losses.imle_weight": 1.0})
    machine = Machine(forks, tmp_path, small_data.directory, written(settings, tmp_path))
    machine.start(2, "mirrored")
    machine.finish()
    run = Run.open(machine.run)
    assert run.manifest["devices"] == 2
    assert run.metrics().gradient_penalty.nunique() == STEPS / 2
    same_losses(one, run)


@pytest.mark.distributed
def test_two_processes_over_loopback(forks, ten_steps, small_data, tmp_path):
    settings, one = ten_steps(**{"training.griffin_lim_every": STEPS})
    # Ten steps of a second each by the chief's clock, and half of another stage. The other's clock
    # is a quarter as fast; by it, no stage would be half done.
    timed = {"training.stage_minutes": [9 / 60, 4 / 60], "training.last_stage": 1}
    file = written(settings.replace(**timed), tmp_path)
    machine = Machine(forks, tmp_path, small_data.directory, file)
    for stop in ({"LAST_STEP": "13"}, {}):
        cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
        for index, clock in ((1, {"SECONDS_A_STEP": "0.25", **stop}), (0, {"SECONDS_A_STEP": "1"})):
            place = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
            machine.start(1, "multi-worker", TF_CONFIG=place, **clock)
        machine.finish()
        assert Run.open(machine.run).finished == (not stop)
    run = Run.open(machine.run)
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


def test_no_thread_tunes_the_pipeline_and_keeps_the_end_of_a_stage_waiting():
    """Keras' own pipeline of such batches does; the model is handed one that does not."""
    handed = []

    class Model:
        def fit(self, data, **options):
            handed.append((data, options["steps_per_epoch"]))

    images = np.arange(10, dtype=np.float32).reshape(5, 2)
    batches = BatchSequence(images, (np.arange(5),), batch=2, seed=0, start=0, stop=6)
    Devices().fit(Model(), batches, [])
    ((data, steps),) = handed
    assert data.options().autotune.enabled is False
    found = list(data.as_numpy_iterator())
    assert len(found) == steps == 3
    for batch, expected in zip(found, batches, strict=False):
        np.testing.assert_array_equal(batch[0], expected[0])
