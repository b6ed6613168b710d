"""What may happen to a run from outside: signals, other processes, files lost or damaged."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from reverbsynth.cli.train import train as train_command
from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.training.checkpoints import Checkpoints
from reverbsynth.training.input_pipeline import SpectrogramCache
from reverbsynth.training.interrupts import StopRequest
from reverbsynth.training.metrics import MetricsLog
from reverbsynth.training.run import Run
from reverbsynth.training.tensorboard import EventFile
from reverbsynth.training.train import train

BUNDLE = Path(__file__).parents[2] / "book" / "results" / "laptop"


@pytest.fixture
def copy(small_run, tmp_path) -> Path:
    """A finished run to spoil."""
    return Path(shutil.copytree(small_run.directory, tmp_path / "copy"))


def edit_manifest(run: Path, **facts) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, **facts}))


def test_a_failure_between_two_stages_loses_no_step(
    small_settings, small_data, tmp_path, monkeypatch
):
    def fails(*_):
        raise ReverbSynthError("disk full")

    monkeypatch.setattr(Run, "save_stage", fails)
    with pytest.raises(ReverbSynthError, match="disk full"):
        train(small_settings, small_data, tmp_path / "run", until_stage=0)
    latest = Checkpoints(tmp_path / "run" / "checkpoints").latest()
    assert (latest.stage, latest.images) == (0, small_settings.training.stable_images)


def test_a_second_interrupt_means_now(capsys):
    # A process that a shell started in the background begins by ignoring SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.requested
        told = capsys.readouterr().err
        assert "SIGINT: stopping after this step, with a checkpoint. Ctrl-C again stops" in told
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def test_a_second_termination_is_still_the_first():
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested


def test_two_processes_cannot_train_one_run(small_settings, small_data, tmp_path):
    (tmp_path / "run").mkdir()
    with (
        exclusive_lock(tmp_path / "run", "is being trained"),
        pytest.raises(ReverbSynthError, match=r"run: is being trained by another process"),
    ):
        train(small_settings, small_data, tmp_path / "run", until_stage=0)


def test_of_two_who_need_an_image_one_encodes_it(small_data, small_settings, tmp_path, monkeypatch):
    shutil.copytree(
        small_data.directory, tmp_path / "data", ignore=shutil.ignore_patterns("images")
    )
    data = type(small_data).open(tmp_path / "data")
    encode, encoded = SpectrogramCache._encode, []

    def counted(self, images):
        encoded.append(len(images))
        encode(self, images)

    monkeypatch.setattr(SpectrogramCache, "_encode", counted)
    found = []

    def ask():
        found.append(SpectrogramCache(data, small_settings.spectra).at_resolution(32))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert encoded == [data.count("train")]
    assert np.array_equal(*found)


def test_weights_that_are_not_finite_are_no_checkpoint(small_settings, small_run, tmp_path):
    model = ProgressiveGAN(small_settings, small_run.labels, small_run.histogram, 0)
    checkpoints = Checkpoints(tmp_path)
    good = checkpoints.save(model, 8, 0.0)
    variable = model.generator.trainable_variables[0]
    variable.assign(ops.full_like(variable, np.nan))
    with pytest.raises(ReverbSynthError, match=r"generator/.* is not finite; .* at 8 images"):
        checkpoints.save(model, 16, 0.0)
    assert list(tmp_path.iterdir()) == [good]


def test_a_disk_that_fills_leaves_whole_rows(tmp_path):
    log = MetricsLog(tmp_path / "metrics.csv")
    log.add({"images": 4, "loss": 1.0})
    log.flush()
    whole = (tmp_path / "metrics.csv").read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, before[1]))
    try:
        for images in range(8, 40, 4):
            log.add({"images": images, "loss": 1.0})
        with pytest.raises(ReverbSynthError, match=r"metrics\.csv: cannot be written \(File too"):
            log.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "metrics.csv").read_bytes() == whole


def test_after_a_kill_tensorboard_runs_not_back(small_run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    copy = Run(Path(str(small_run.directory) + "-killed"), small_run.settings, small_run.manifest)
    for images_seen, loss in ((0, 1.0), (8, 2.0)):
        events = EventFile(copy, images_seen)
        for step in (1, 2, 3):
            row = {"images": images_seen + 4 * step, "stage": 0, "generator_loss": loss}
            events.add_metrics(row)
        events.close()
    log = EventAccumulator(str(copy.directory / "tensorboard"))
    log.Reload()
    shown = [(event.step, event.value) for event in log.Scalars("generator_loss")]
    assert shown == [(4, 1.0), (8, 1.0), (12, 2.0), (16, 2.0), (20, 2.0)]


def test_a_users_keras_preferences_are_for_other_programs(small_settings, small_data, tmp_path):
    preferences = {"floatx": "float16", "image_data_format": "channels_first", "backend": "torch"}
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "keras.json").write_text(json.dumps(preferences))
    brief = {"stable_images": 4, "transition_images": 4, "last_stage": 1, "samples": 1}
    (tmp_path / "settings.yaml").write_text(small_settings.replace(training=brief).to_yaml())
    environment = {name: v for name, v in os.environ.items() if name != "KERAS_BACKEND"}
    command = [sys.executable, "-m", "reverbsynth.cli", "train", tmp_path / "run"]
    options = ["--data", small_data.directory, "--settings", tmp_path / "settings.yaml"]
    done = subprocess.run(
        [*command, *options],
        env={**environment, "KERAS_HOME": str(tmp_path / "keras")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert Run.open(tmp_path / "run").manifest["backend"] == "tensorflow"
    # A backend that is named, and is not there, is one line.
    unknown = subprocess.run(
        [*command[:-1], tmp_path / "other", *options],
        env={**environment, "KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
    )
    assert unknown.returncode == 2
    assert unknown.stderr.splitlines()[-1].startswith("reverbsynth: KERAS_BACKEND: found 'torch'")
    assert "Traceback" not in unknown.stderr


def test_a_run_that_lost_its_checkpoints_is_not_begun_again(copy, small_settings, small_data):
    edit_manifest(copy, finished=False)
    shutil.rmtree(copy / "checkpoints")
    before = (copy / "metrics.csv").read_bytes()
    with pytest.raises(ReverbSynthError, match=r"44 images were seen, but there is no checkpoint"):
        train(small_settings, small_data, copy)
    assert (copy / "metrics.csv").read_bytes() == before


def test_a_bundle_is_not_trained(small_settings, small_data):
    refused = "laptop: a results bundle, which cannot be trained"
    with pytest.raises(ReverbSynthError, match=refused):
        train(small_settings, small_data, BUNDLE)
    with pytest.raises(ReverbSynthError, match=refused):
        train_command(BUNDLE)
    assert not (BUNDLE / "data").exists()


def test_training_ends_with_the_last_stage_that_the_total_lets_begin(
    small_settings, small_data, tmp_path
):
    short = small_settings.replace(**{"training.total_images": 16})
    run = train(short, small_data, tmp_path / "run")
    assert run.finished
    assert run.stages == [0]
    assert run.schedule.last_stage == 0


def test_a_run_tells_the_data_that_it_had(small_settings, small_data, tmp_path):
    other = small_settings.replace(**{"data.source": {"kind": "folder", "path": "/elsewhere"}})
    run = train(other, small_data, tmp_path / "run", until_stage=0)
    assert run.settings.data == small_settings.data
    # The very same call goes on.
    train(other, small_data, tmp_path / "run", until_stage=0)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("finished", None, "finished: found None, expected bool"),
        ("data_directory", None, "data_directory: found None, expected str"),
        ("bundle", {}, "bundle: settings: found None, expected str"),
        ("legs", [], "legs: commit: found None, expected str"),
        ("legs", ["begun"], "legs: commit: found None, expected str"),
        ("images_seen", "many", "images_seen: found 'many', expected int"),
    ],
)
def test_a_damaged_manifest_is_one_line(copy, name, value, message):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, name: value}))
    with pytest.raises(ReverbSynthError, match=f"manifest.json: {message}"):
        Run.open(copy)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short"], ids=["empty", "cut"])
def test_damaged_samples_are_one_line(copy, content):
    (copy / "stages" / "00" / "samples.npz").write_bytes(content)
    with pytest.raises(ReverbSynthError, match=r"samples\.npz: cannot be read"):
        Run.open(copy).samples(0)


def test_other_folders_among_the_stages_are_left_alone(copy, small_run):
    shutil.copytree(copy / "stages" / "00", copy / "stages" / "old")
    assert Run.open(copy).stages == small_run.stages
