"""The networks at every stage: arithmetic, names, sizes, and the paper's tables."""

import csv

import keras
import numpy as np
import pytest
from keras import ops

from reverbsynth.gan import schedule
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.gan.networks import Discriminator, Generator, carry_over
from reverbsynth.settings import GanSettings, SpectraSettings
from reverbsynth.spectra.representation import Representation

from . import original_arithmetic as original
from .conftest import PITCH, PITCHES, our_name, thin_settings, uniform_histogram

FULL = GanSettings()
PARAMETERS = {
    0: (3_187_714, 2_706_494),
    8: (7_172_618, 6_692_414),
    12: (7_311_246, 6_831_230),
}


def networks(settings: GanSettings, stage: int) -> tuple[Generator, Discriminator]:
    sizes = {"pitch": len(PITCHES)}
    generator = Generator(settings, len(PITCHES), stage)
    return generator, Discriminator(settings, sizes, Representation(SpectraSettings()), stage)


def randomized(network, rng) -> dict[str, np.ndarray]:
    """Give every variable, biases too, a value that shows, and return the values."""
    values = {
        name: rng.standard_normal(variable.shape).astype("float32")
        * (1.0 if name.endswith("kernel") else 0.2)
        for name, variable in network.named_variables().items()
    }
    for name, variable in network.named_variables().items():
        variable.assign(values[name])
    return values


@pytest.mark.parametrize("stage", range(13))
def test_equal_to_the_original_arithmetic(stage):
    rng = np.random.default_rng(stage)
    # Enough channels at every block that pixel norm never divides by almost nothing.
    settings = GanSettings(filters_max=32)
    generator, discriminator = networks(settings, stage)
    g, d = randomized(generator, rng), randomized(discriminator, rng)
    n_blocks = schedule.blocks(stage)
    p = stage / 2 if stage % 2 == 0 else (stage - 1) / 2 + 0.375
    z = ops.convert_to_tensor(rng.standard_normal((2, 256)), "float32")
    condition = ops.one_hot(ops.convert_to_tensor([3, 40]), len(PITCHES), dtype="float32")

    image = generator(z, condition, ops.convert_to_tensor(p, "float32"))
    expected = original.generator(g, n_blocks, z, condition, p)
    factor = schedule.box_factor(n_blocks)
    found = ops.convert_to_numpy(original.up(image, factor))
    expected = ops.convert_to_numpy(expected)
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()

    representation = Representation(SpectraSettings())
    judged = representation.denormalize(image)
    score, logits = discriminator(judged, ops.convert_to_tensor(p, "float32"))
    settings = SpectraSettings()
    expected_score, expected_logits = original.discriminator(
        d, n_blocks, original.up(judged, factor), p, settings.scale, settings.shift
    )
    for ours, theirs in ((score, expected_score), (logits["pitch"], expected_logits)):
        ours, theirs = ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs)
        assert np.abs(ours - theirs).max() <= 1e-4 * max(1, np.abs(theirs).max())


@pytest.mark.parametrize("stage", PARAMETERS)
def test_parameter_counts(stage):
    generator, discriminator = networks(FULL, stage)
    assert (generator.count_params(), discriminator.count_params()) == PARAMETERS[stage]
    for network in (generator, discriminator):
        assert sum(row.parameters for row in network.table) == network.count_params()


def test_variables_are_the_originals(fixtures):
    with (fixtures / "variables_stage08.tsv").open() as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if row[0] in "GD"]
    generator, discriminator = networks(FULL, 8)
    for kind, network in (("G", generator), ("D", discriminator)):
        expected = {
            our_name(row[1]): row[2]
            for row in rows
            if row[0] == kind and not row[1].endswith("ExponentialMovingAverage")
        }
        found = {name: str(list(v.shape)) for name, v in network.named_variables().items()}
        assert found == expected


def test_tables_show_every_resolution():
    generator, discriminator = networks(FULL, 12)
    sizes = {row.output[:2] for row in generator.table if row.layer == "conv0"}
    assert sizes == {schedule.resolution(block) for block in range(1, 8)}
    shown = {row.output[2] for row in discriminator.table if row.layer == "from_rgb"}
    assert shown == {256, 128, 64, 32}


def test_initial_weights_depend_on_seed_and_name_only():
    first, again = Generator(FULL, 3, 0, seed=1), Generator(FULL, 3, 0, seed=1)
    other = Generator(FULL, 3, 0, seed=2)
    kernel = "block_1/conv1/kernel"
    value = {n: np.asarray(n.named_variables()[kernel].value) for n in (first, again, other)}
    assert np.array_equal(value[first], value[again])
    assert not np.array_equal(value[first], value[other])
    assert abs(value[first].std() - 1) < 0.01
    assert np.abs(value[first]).max() > 4  # untruncated
    assert not np.asarray(first.named_variables()["block_1/conv1/bias"].value).any()


def test_a_block_that_is_given_the_latent_vector_anew_begins_as_without():
    plain, skipping = (
        networks(thin_settings(**{"gan.skip_latent": skips}).gan, 4)[0] for skips in (False, True)
    )
    z = np.random.default_rng(0).standard_normal((2, FULL.latent_size), np.float32)
    labels = np.eye(len(PITCHES), dtype=np.float32)[:2]
    given = [ops.convert_to_tensor(value) for value in (z, labels)]
    images = [np.asarray(network(*given, progress=2.0)) for network in (skipping, plain)]
    assert np.array_equal(*images)
    names = skipping.named_variables().keys() - plain.named_variables().keys()
    assert names == {f"block_{b}/skip/{kind}" for b in (2, 3) for kind in ("kernel", "bias")}


@pytest.mark.parametrize("stage", range(12))
def test_what_the_next_stage_keeps(stage):
    settings = thin_settings(**{"gan.filters_max": 4})
    model = ProgressiveGAN(settings, PITCH, uniform_histogram(len(PITCHES)), stage)
    rng = np.random.default_rng(0)
    kept = {name: randomized(getattr(model, name), rng) for name in NETWORKS}
    for optimizer in (model.optimizer.generator, model.optimizer.discriminator):
        for variable in optimizer.variables:
            variable.assign(np.ones(variable.shape, variable.dtype))
    keras.random.normal((2,), seed=model.random)
    grown = model.next_stage()
    states = [ops.convert_to_numpy(each.random.state) for each in (grown, model)]
    np.testing.assert_array_equal(*states)
    fresh = ProgressiveGAN(settings, PITCH, uniform_histogram(len(PITCHES)), stage + 1)
    assert (states[0] != ops.convert_to_numpy(fresh.random.state)).any()
    for name in NETWORKS:
        for part, variable in getattr(grown, name).named_variables().items():
            start = getattr(fresh, name).named_variables()[part].value
            expected = kept[name].get(part, start)
            assert np.array_equal(np.asarray(variable.value), np.asarray(expected)), part
    new = set(grown.ema_generator.named_variables()) - set(kept["ema_generator"])
    assert bool(new) == (stage % 2 == 0)
    for part in new:
        average, weight = (
            np.asarray(network.named_variables()[part].value)
            for network in (grown.ema_generator, grown.generator)
        )
        assert np.array_equal(average, weight)
    rate = settings.optimizer.generator_rate
    for optimizer in (grown.optimizer.generator, grown.optimizer.discriminator):
        for variable in optimizer.variables:
            expected = rate if "learning_rate" in variable.path else 0.0
            assert np.allclose(np.asarray(variable.value), expected)


NETWORKS = ("generator", "ema_generator", "discriminator")


def test_carry_over_copies_shared_variables_only():
    small, large = Generator(FULL, 3, 0, seed=1), Generator(FULL, 3, 1, seed=2)
    before = np.asarray(large.named_variables()["block_2/conv0/kernel"].value)
    carry_over(small, large)
    values = {n: np.asarray(v.value) for n, v in large.named_variables().items()}
    assert np.array_equal(
        values["block_1/conv0/kernel"],
        np.asarray(small.named_variables()["block_1/conv0/kernel"].value),
    )
    assert np.array_equal(values["block_2/conv0/kernel"], before)
