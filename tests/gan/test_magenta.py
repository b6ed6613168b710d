"""Reading original training directories: other stages and sizes, damage, and foreign files."""

import json
import shutil

import numpy as np
import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan import schedule
from reverbsynth.gan.magenta import AVERAGE, ORIGINAL_PITCHES, read_original
from reverbsynth.gan.networks import Generator
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import GanSettings

pytestmark = pytest.mark.one_backend


@pytest.fixture
def directory(fixtures, tmp_path):
    """A copy to damage."""
    return shutil.copytree(fixtures / "original_run", tmp_path / "original")


def edit(directory, **changes):
    path = directory / "experiment.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def refused(directory, match, **options):
    with pytest.raises(ReverbSynthError, match=match) as error:
        read_original(directory, **options)
    assert "\n" not in str(error.value)


def test_reads_what_the_directory_says(directory):
    found = read_original(directory)
    assert found.stage == 4
    assert found.facts["images_seen"] == 22
    assert found.progress == 2.0
    assert found.labels["pitch"] == tuple(range(ORIGINAL_PITCHES[0], ORIGINAL_PITCHES[1] + 1))
    assert found.gan.filters_max == 16


def write_run(directory, stage, settings, classes, images, slots):
    """An original-style directory with random weights, in TensorFlow 1's names."""
    import tensorflow as tf

    rng = np.random.default_rng(stage)
    generator = Generator(settings, classes, stage)
    variables = {"global_step": tf.Variable(images, dtype=tf.int64)}
    for name, variable in generator.named_variables().items():
        part, kind = name.rsplit("/", 1)
        scope = "Generator/progressive_gan_generator/progressive_gan_"
        original = scope + part + ("/conv2d/kernel" if kind == "kernel" else "/bias")
        value = rng.standard_normal(variable.shape).astype("float32")
        variables[original] = tf.Variable(np.zeros_like(value))
        variables[original + AVERAGE] = tf.Variable(value)
        if slots:
            variables[f"progressive_gan_train_ops/{original}/Adam"] = tf.Variable(value)
    folder = directory / f"stage_{stage:05d}"
    folder.mkdir(parents=True)
    tf.raw_ops.SaveV2(
        prefix=str(folder / "model.ckpt-7"),
        tensor_names=list(variables),
        shape_and_slices=[""] * len(variables),
        tensors=[v.read_value() for v in variables.values()],
    )
    (folder / "checkpoint").write_text('model_checkpoint_path: "/elsewhere/model.ckpt-7"\n')
    return {k: v.numpy() for k, v in variables.items()}


@pytest.mark.parametrize(
    ("stage", "filters", "slots"), [(0, 8, False), (3, 12, True), (7, 4, False), (12, 6, True)]
)
def test_any_stage_and_size(fixtures, tmp_path, stage, filters, slots):
    directory = tmp_path / "run"
    directory.mkdir()
    shutil.copy(fixtures / "original_run" / "experiment.json", directory)
    edit(directory, fmap_max=filters, fmap_base=64 * filters)
    settings = GanSettings(filters_base=64 * filters, filters_max=filters)
    images = 8 * ((stage + 1) // 2) - 1  # a cycle is 4 stable and 4 transition images
    variables = write_run(directory, stage, settings, 61, max(images, 0), slots)
    found = read_original(directory)
    assert found.stage == stage
    if schedule.is_transition(stage):
        assert found.progress == (stage - 1) / 2 + 0.75
    scope = "Generator/progressive_gan_generator/progressive_gan_"
    expected = variables[f"{scope}block_1/conv1/conv2d/kernel{AVERAGE}"]
    assert np.array_equal(found.weights["block_1/conv1/kernel"], expected)
    waves = Instrument.from_original(directory).notes([24, 84], seed=0)
    assert waves.shape == (2, 64000)
    assert np.isfinite(waves).all()


def test_other_pitches_need_their_lowest(fixtures, tmp_path):
    directory = tmp_path / "run"
    directory.mkdir()
    shutil.copy(fixtures / "original_run" / "experiment.json", directory)
    edit(directory, fmap_max=4)
    write_run(directory, 0, GanSettings(filters_base=256, filters_max=4), 12, 0, False)
    refused(directory, "12 pitch classes, expected GANSynth's 61")
    assert read_original(directory, lowest_pitch=36).labels["pitch"] == tuple(range(36, 48))
    refused(directory, "lowest pitch: found 120", lowest_pitch=120)


def test_a_folder_that_is_none(tmp_path):
    refused(tmp_path, "experiment.json: cannot be read")


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"data_type": 3}'])
def test_damaged_experiment(directory, text):
    (directory / "experiment.json").write_text(text)
    refused(directory, "experiment.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_resolutions", 5),
        ("to_rgb_activation", "linear"),
        ("start_height", 4),
        ("kernel_size", "three"),
        ("latent_vector_size", None),
        ("latent_vector_size", float("nan")),
        ("latent_vector_size", float("inf")),
        ("mag_normalizer_a", 10**400),
        ("data_type", "cqt"),
        ("sample_rate", 44100),
    ],
)
def test_networks_of_another_make(directory, key, value):
    edit(directory, **{key: value})
    refused(directory, rf"experiment\.json: {key} is ")


def test_filters_that_do_not_fit(directory):
    edit(directory, fmap_max=32)
    refused(directory, "has shape .* expected")


def test_a_schedule_of_no_length_leaves_the_last_block(directory):
    (directory / "stage_00004").rename(directory / "stage_00003")
    edit(directory, stable_stage_num_images=-8, transition_stage_num_images=8)
    assert read_original(directory).progress == 2.0


def test_no_stage(directory):
    (directory / "stage_00004").rename(directory / "stage_²")
    refused(directory, "no stage_NNNNN folder")


def test_missing_index(directory):
    (directory / "stage_00004" / "model.ckpt-22.index").unlink()
    refused(directory, r"model\.ckpt-22\.index: no such file")


def test_missing_data(directory):
    (directory / "stage_00004" / "model.ckpt-22.data-00000-of-00001").unlink()
    refused(directory, "checkpoint is damaged")


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
@pytest.mark.parametrize("kept", [0, 100, 3000])
def test_truncated_checkpoint(directory, suffix, kept):
    path = directory / "stage_00004" / f"model.ckpt-22{suffix}"
    path.write_bytes(path.read_bytes()[:kept])
    refused(directory, "damaged|missing")


def test_checkpoint_without_averages(directory):
    import tensorflow as tf

    prefix = directory / "stage_00004" / "model.ckpt-22"
    reader = tf.train.load_checkpoint(str(prefix))
    names = [n for n in reader.get_variable_to_shape_map() if not n.endswith(AVERAGE)]
    tensors = [tf.constant(reader.get_tensor(name)) for name in names]
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors
    )
    refused(directory, "variable Generator/.* is missing")


def test_corrupted_bytes_are_refused_or_harmless(directory):
    """Flip bytes all over the index: one line, or the same weights; never a crash."""
    path = directory / "stage_00004" / "model.ckpt-22.index"
    whole = path.read_bytes()
    expected = read_original(directory).weights
    rng = np.random.default_rng(0)
    for place in rng.choice(len(whole), 60, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(bytes(damaged))
        try:
            found = read_original(directory).weights
        except ReverbSynthError:
            continue
        assert all(np.array_equal(found[name], expected[name]) for name in expected)
