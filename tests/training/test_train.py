"""Training through its real entry points: every preset, resuming, stopping, and refusing."""

import os
import shutil
import signal
import time

import keras
import numpy as np
import pytest

from reverbsynth.data.build import build_data
from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import ReverbSynthError
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.seeds import evenly_spaced
from reverbsynth.settings import Settings, presets
from reverbsynth.training.input_pipeline import BatchSequence, SpectrogramCache
from reverbsynth.training.metrics import curve_names, trim_metrics
from reverbsynth.training.run import Run
from reverbsynth.training.train import train
from tests.conftest import SMALL

CURVES = [
    "discriminator_wasserstein",
    "generator_wasserstein",
    "gradient_penalty",
    "fake_pitch_loss",
    "real_pitch_loss",
    "fake_consistency",
    "real_consistency",
]


@pytest.mark.parametrize("preset", presets())
def test_every_preset_trains_when_shrunk(preset, small_data, small_settings, tmp_path):
    brief = {**SMALL, "training": {**SMALL["training"], "stable_images": 4, "last_stage": 0}}
    settings = Settings.preset(preset, **brief)
    data = small_data
    if settings.data != small_settings.data:
        data = build_data(settings, tmp_path / "data")
    run = train(settings, data, tmp_path / "run")
    assert run.finished
    assert run.stages == [0]


def test_metrics_hold_a_row_a_step(small_run, small_settings):
    metrics = small_run.metrics()
    batch = small_settings.training.batch
    assert list(metrics.images) == list(range(batch, 44 + 1, batch))
    assert list(metrics.stage) == [0] * 4 + [1] * 3 + [2] * 4
    assert metrics.blend[metrics.stage == 1].tolist() == pytest.approx([0, 4 / 12, 8 / 12])
    assert set(CURVES) <= set(metrics)
    terms = metrics[CURVES[:5]]
    assert np.isfinite(terms.to_numpy()).all()
    # Real notes come from sounds, and what an untrained network draws does not.
    shown = metrics.dropna(subset="fake_consistency")
    assert len(shown) == len(metrics.dropna(subset="real_consistency")) > 1
    assert (shown.real_consistency < shown.fake_consistency).all()


def test_run_keeps_what_later_pages_need(small_run, small_settings, small_data):
    again = Run.open(small_run.directory)
    assert again.finished
    assert again.settings == small_settings
    assert again.stages == [0, 1, 2]
    assert again.labels["pitch"] == (40, 41, 42)
    samples = again.samples(2)
    assert samples.real.shape == samples.generated.shape == (3, 4, 32, 2)
    assert len(samples.pitch) == 3
    rows = evenly_spaced(small_data.count("train"), 3)
    pixels = SpectrogramCache(small_data, small_settings.spectra).at_resolution(32)
    np.testing.assert_array_equal(samples.real, pixels[rows])
    instrument = Instrument.from_run(again)
    z = np.random.default_rng(0).standard_normal((3, small_settings.gan.latent_size), np.float32)
    labels = {name: values for name, values in samples.labels.items() if name != "pitch"}
    drawn = instrument.images(samples.labels["pitch"], z, **labels)[:, ::32, ::32]
    np.testing.assert_allclose(samples.generated, drawn, atol=1e-4)
    assert sum(again.histogram[:, -1]) == small_data.count("train")
    assert again.manifest["images_seen"] == 44


def test_tensorboard_shows_curves_pictures_and_sounds(small_run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(small_run.directory / "tensorboard"), {"images": 0, "audio": 0})
    log.Reload()
    tags = log.Tags()
    metrics = small_run.metrics()
    for column, name in curve_names(small_run.labels).items():
        shown = {event.step: event.value for event in log.Scalars(name)}
        stored = metrics.dropna(subset=column).set_index("images")[column]
        assert list(shown) == list(stored.index)
        assert list(shown.values()) == pytest.approx(list(stored), rel=1e-6)
    assert {f"{kind}/generated/0" for kind in ("magnitude", "frequency")} <= set(tags["images"])
    assert "note/real/0" in tags["audio"]
    assert log.Audio("note/real/0")[-1].sample_rate == 16000
    assert (log.Images("magnitude/real/0")[-1].width, len(log.Images("magnitude/real/0"))) == (
        128,
        len(small_run.stages),
    )


@pytest.mark.both_backends
@pytest.mark.parametrize("stage", [0, 2])
def test_instrument_of_a_run_sounds(small_run, stage):
    waves = Instrument.from_run(small_run, stage).notes([40, 42], seed=0)
    assert waves.shape == (2, 64000)
    assert waves.dtype == np.float32
    assert np.isfinite(waves).all()
    assert (np.abs(waves).max(axis=1) > 1e-3).all()


class StopIn(keras.callbacks.Callback):
    """Sends SIGTERM in the steps of these numbers, counted over all calls of `train`."""

    def __init__(self, *steps: int):
        super().__init__()
        self.steps, self.taken = steps, 0

    def on_train_batch_begin(self, batch, logs=None):
        self.taken += 1
        if self.taken in self.steps:
            signal.raise_signal(signal.SIGTERM)


def same_state(one: Run, other: Run) -> None:
    curves = [run.metrics().drop(columns="seconds") for run in (one, other)]
    assert curves[0].equals(curves[1])
    for stage in one.stages:
        first, second = one.weights(stage), other.weights(stage)
        assert first.keys() == second.keys()
        for name in first:
            assert np.array_equal(first[name], second[name]), (stage, name)


def test_a_run_stopped_four_times_equals_an_uninterrupted_one(
    small_run, small_settings, small_data, tmp_path
):
    """In a transition, between two stages and in mid-stage; once its checkpoint is damaged."""
    steps = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: steps.append(step))
    ended = keras.callbacks.LambdaCallback(
        on_train_end=lambda logs: signal.raise_signal(signal.SIGTERM)
    )

    def sitting(*callbacks) -> tuple[Run, int]:
        """The run afterwards, and how many steps were taken."""
        steps.clear()
        callbacks = [count, *callbacks]
        return train(small_settings, small_data, tmp_path / "run", callbacks=callbacks), len(steps)

    run, taken = sitting(StopIn(5))
    assert (run.stages, taken) == ([0], 5)
    assert run.manifest["images_seen"] == 5 * small_settings.training.batch
    newest = sorted((tmp_path / "run" / "checkpoints").glob("*"))[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    # The damaged checkpoint is passed over: the one before it is that of the stage's beginning.
    run, taken = sitting(ended)
    assert (run.stages, taken) == ([0, 1], 3)
    run, taken = sitting(StopIn(2))
    assert (run.stages, taken) == ([0, 1], 2)
    assert not run.finished
    run, taken = sitting()
    assert (run.finished, taken) == (True, 2)
    same_state(small_run, run)


@pytest.mark.both_backends
def test_until_stage_stops_there_and_goes_on(small_run, small_settings, small_data, tmp_path):
    stopped = train(small_settings, small_data, tmp_path / "run", until_stage=1)
    assert stopped.stages == [0, 1]
    assert not stopped.finished
    same_state(small_run, train(small_settings, small_data, tmp_path / "run"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_in_a_checkpoint_and_success(
    forks, small_settings, small_data, tmp_path, number
):
    run, said = tmp_path / "run", tmp_path / "said.txt"
    settings = small_settings.replace(**{"training.stable_images": 4_000})
    (tmp_path / "settings.yaml").write_text(settings.to_yaml())
    options = ["--data", str(small_data.directory), "--settings", str(tmp_path / "settings.yaml")]
    process = forks.start(["train", str(run), *options], said=str(said))
    deadline = time.monotonic() + 120
    while not (run / "metrics.csv").exists():
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.2)
    os.kill(process, number)
    assert forks.status(process) == 0, said.read_text()
    assert f"reverbsynth train {run} --data" in said.read_text()
    images = Run.open(run).manifest["images_seen"]
    assert 0 < images < settings.training.stable_images
    assert Run.open(run).metrics().images.iloc[-1] == images


def test_a_signal_while_notes_are_encoded_ends_it(
    small_settings, small_data, tmp_path, monkeypatch
):
    """Of many notes that takes long; no step is waited for."""
    data = DataSet.open(shutil.copytree(small_data.directory, tmp_path / "data"))
    shutil.rmtree(data.directory / "images", ignore_errors=True)  # of an earlier test

    def interrupted(self, images):
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it goes on")

    monkeypatch.setattr(SpectrogramCache, "_encode", interrupted)
    # What a shell starts in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            train(small_settings, data, tmp_path / "run")
    finally:
        signal.signal(signal.SIGINT, before)
    assert list((data.directory / "images").rglob("*.npy")) == []


def test_divergence_names_the_term_and_the_last_good_checkpoint(
    small_settings, small_data, tmp_path
):
    wild = small_settings.replace(**{"optimizer.discriminator_rate": 1e30})
    with pytest.raises(ReverbSynthError, match=r"diverged after \d+ images: \w+ is .*checkpoint"):
        train(wild, small_data, tmp_path / "run")


def test_directory_of_another_run_is_refused(small_run, small_settings, small_data):
    other = small_settings.replace(**{"training.batch": 6, "optimizer.beta_1": 0.3})
    before = (small_run.directory / "manifest.json").read_bytes()
    expected = r"other settings: optimizer\.beta_1: found 0\.0, expected 0\.3 \(and 1 more\)"
    with pytest.raises(ReverbSynthError, match=expected):
        train(other, small_data, small_run.directory)
    assert (small_run.directory / "manifest.json").read_bytes() == before


def test_directory_with_other_things_is_refused(small_settings, small_data, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ReverbSynthError, match="not a run and not empty"):
        train(small_settings, small_data, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_as_many_labels_as_there_are(small_settings, small_data, tmp_path):
    labels = ["pitch", "effect", "instrument"]
    settings = small_settings.replace(**{"gan.labels": labels, "training.last_stage": 0})
    run = train(settings, small_data, tmp_path / "run")
    metrics = run.metrics()
    assert {f"{kind}_{name}_loss" for kind in ("fake", "real") for name in labels} <= set(metrics)
    instrument = Instrument.from_run(run)
    dry, wet = (instrument.notes([40], seed=1, effect=e)[0] for e in ("dry", "reverb"))
    assert not np.array_equal(dry, wet)
    with pytest.raises(ReverbSynthError, match="effect: found chorus"):
        instrument.notes([40], effect="chorus")


def test_images_are_encoded_once_and_scaled(small_data, small_settings):
    images = SpectrogramCache(small_data, small_settings.spectra)
    full = images.at_resolution(1)
    assert full.shape == (small_data.count("train"), 128, 1024, 2)
    small = images.at_resolution(64)
    assert small.shape[1:] == (2, 16, 2)
    expected = full.astype(np.float64).reshape(-1, 2, 64, 16, 64, 2).mean(axis=(2, 4))
    assert np.allclose(small, expected, rtol=1e-5, atol=1e-5)


def test_batches_depend_on_images_seen_alone():
    pixels = np.arange(7, dtype=np.float32).reshape(7, 1, 1, 1)
    labels = np.arange(7).reshape(7, 1)
    whole = BatchSequence(pixels, (labels,), 3, seed=1, start=0, stop=42)
    assert len(whole) == 14
    seen = np.concatenate([whole[i][1][:, 0] for i in range(14)])
    for epoch in range(6):
        assert sorted(seen[7 * epoch : 7 * epoch + 7]) == list(range(7))
    later = BatchSequence(pixels, (labels,), 3, seed=1, start=15, stop=42)
    assert np.array_equal(later[0][1], whole[5][1])
    # Each epoch, and each seed, in an order of its own.
    other = BatchSequence(pixels, (labels,), 3, seed=2, start=0, stop=42)
    others = np.concatenate([other[i][1][:, 0] for i in range(14)])
    orders = {tuple(order) for order in np.reshape([seen, others], (12, 7)).tolist()}
    assert len(orders | {tuple(range(7))}) == 13


def test_metrics_are_trimmed_to_the_checkpoint(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("images,stage\n4,0\n8,0\n²,0\n12,0\n16")
    trim_metrics(path, 8)
    assert path.read_text() == "images,stage\n4,0\n8,0\n"
    trim_metrics(path, 0)
    assert not path.exists()


def test_full_disk_is_one_line(small_settings, small_data, monkeypatch, tmp_path):
    def refuse(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ReverbSynthError, match=r"settings\.yaml: .*No space left"):
        train(small_settings, small_data, tmp_path / "run")
    assert not list((tmp_path / "run").iterdir())


def test_data_set_builds_with_the_small_settings(small_settings, small_data):
    again = build_data(small_settings, small_data.directory)
    assert again.sha256 == small_data.sha256
