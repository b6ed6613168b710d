"""A training that begins from trained networks, on other sounds."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from reverbsynth.cli.train import _origin
from reverbsynth.cli.train import train as train_command
from reverbsynth.data.build import build_data
from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.magenta import read_original
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.instrument.file import read
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.shipped import find
from reverbsynth.settings import GanSettings, Settings
from reverbsynth.training.checkpoints import Checkpoints, network_variables, values
from reverbsynth.training.origin import Origin, _inputs
from reverbsynth.training.run import Run
from reverbsynth.training.stage_lengths import first_stage
from reverbsynth.training.train import train
from tests.instruments import untrained_generator

from .test_train import StopIn, same_state

FIRST = "block_1/conv0/kernel"


@pytest.fixture(scope="module")
def other_settings(small_settings):
    """Other notes, of pitches 41 to 43 where the small run has 40 to 42, and one more label."""
    return small_settings.replace(
        **{"data.source.pitches": [41, 43], "gan.labels": ["effect", "pitch", "instrument"]}
    )


@pytest.fixture(scope="module")
def other_data(other_settings, tmp_path_factory):
    return build_data(other_settings, tmp_path_factory.mktemp("other") / "data")


def begun(origin: Origin, run: Run) -> dict[str, np.ndarray]:
    model = ProgressiveGAN(run.settings, run.labels, run.histogram, origin.first_stage)
    origin.put_into(model)
    return values(network_variables(model))


def test_labels_are_matched_by_name_and_value(small_run, other_settings, other_data, tmp_path):
    origin = Origin.of_run(small_run)
    run = train(other_settings, other_data, tmp_path / "run", origin=origin, max_minutes=0)
    old, new = small_run.weights(2), begun(origin, run)
    # There: 256 latent numbers, then pitches 40, 41, 42. Here: effects, then 41, 42, 43.
    first, fresh = old[f"generator/{FIRST}"], new[f"generator/{FIRST}"]
    assert np.array_equal(fresh[:, :, :256], first[:, :, :256])
    pitches = 256 + len(run.labels["effect"])
    assert np.array_equal(fresh[:, :, pitches : pitches + 2], first[:, :, 257:259])
    for part in ("kernel", "bias"):
        head, matched = (of[f"discriminator/pitch_logits/{part}"] for of in (old, new))
        assert np.array_equal(matched[..., :2], head[..., 1:])
    for name in set(old) - {f"{kind}generator/{FIRST}" for kind in ("", "ema_")}:
        if "pitch_logits" not in name:
            assert np.array_equal(old[name], new[name]), name


def test_inputs_have_names_where_a_key_is_told_beside_its_number():
    labels = LabelSpace({"pitch": [40, 43], "effect": ["dry"]})
    gan = GanSettings(pitch_input="harmonic", latent_size=1)
    assert _inputs(gan, labels) == [("latent", 0), ("pitch", None), ("effect", "dry")]
    keyed = gan.model_copy(update={"key_shares": True})
    number, *others = _inputs(keyed, labels)[1:]
    assert number == ("pitch", None)
    assert others == [("pitch", 40), ("pitch", 43), ("effect", "dry")]


def test_it_begins_at_the_origins_stage_and_resumes_exactly(
    small_run, other_settings, other_data, tmp_path
):
    origin = Origin.of_run(small_run)
    whole = train(other_settings, other_data, tmp_path / "whole", origin=origin)
    assert whole.finished
    assert whole.stages == [2]
    assert whole.settings.training.stage_images == (0, 0, 16)
    assert whole.manifest["images_seen"] == 16
    assert whole.manifest["stage_ends"] == [0, 0, 16]
    told = whole.manifest["origin"]
    assert (told["name"], told["stage"]) == (small_run.directory.name, 2)
    assert told["sha256"] == Origin.of_run(small_run).facts()["sha256"]
    # Stopped before its first step and once after it; the first checkpoint is the origin's.
    train(other_settings, other_data, tmp_path / "run", origin=origin, callbacks=[StopIn(1)])
    train_command(tmp_path / "run", data=other_data.directory)
    same_state(whole, Run.open(tmp_path / "run"))
    assert Instrument.from_run(whole).notes(
        [43], effect="dry", instrument="acoustic_bass"
    ).shape == (1, 64000)


def test_the_command_takes_the_settings_of_what_it_begins_with(
    small_run, small_data, tmp_path, monkeypatch
):
    """From an instrument's file, in which neither discriminator nor schedule is kept.

    It may be one that comes with the package, by its name.
    """
    file = tmp_path / "bass.safetensors"
    monkeypatch.setattr("reverbsynth.instrument.shipped.shipped", lambda: {"a bass": file})
    Instrument.from_run(small_run).save(file)
    brief = ["training.stage_images=[0,0,8]", "training.last_stage=2", "training.samples=2"]
    named = Path("a bass")
    train_command(tmp_path / "run", data=small_data.directory, from_=named, set_=brief)
    run = Run.open(tmp_path / "run")
    assert run.finished
    assert run.settings.gan == small_run.settings.gan
    assert run.manifest["origin"]["name"] == "bass.safetensors"
    # The same command again: it is done. Another origin is refused.
    train_command(tmp_path / "run", data=small_data.directory, from_=file)
    with pytest.raises(ReverbSynthError, match="run: a run of other origin"):
        train_command(tmp_path / "run", data=small_data.directory, from_=small_run.directory)


def test_an_instrument_is_gone_on_with_by_the_recipe_it_was_trained_by():
    _, settings = _origin(Path("laptop"))
    assert settings.training == Settings.preset("laptop").training
    assert settings.losses == Settings.preset("laptop").losses


def test_a_run_that_ended_with_a_transition_is_begun_from_with_stages_named(
    small_settings, small_data, tmp_path
):
    settings = small_settings.replace(**{"training.last_stage": 1})
    train(settings, small_data, tmp_path / "run")
    with pytest.raises(ReverbSynthError, match="last_stage: found 1, expected 2, where these"):
        train_command(tmp_path / "new", data=small_data.directory, from_=tmp_path / "run")
    more = ["training.last_stage=2"]
    train_command(tmp_path / "new", data=small_data.directory, from_=tmp_path / "run", set_=more)
    assert Run.open(tmp_path / "new").stages == [2]


def test_what_was_itself_begun_from_another_is_gone_on_with_at_its_last_stage():
    """Not where that one began, whose earlier stages have no length."""
    origin, settings = _origin(find("studio").parent)
    assert origin.first_stage == 12
    assert first_stage(settings.training) == 12


def test_the_preset_and_the_instrument_of_its_name_fit():
    Origin("laptop", read(find("laptop")), {}).check(Settings.preset("laptop"))


def test_an_earlier_stage_has_seen_its_own_images(small_run):
    seen = [small_run.trained_generator(stage).facts["images_seen"] for stage in (0, 1, 2)]
    assert seen == small_run.manifest["stage_ends"] == [16, 28, 44]


def test_the_instrument_alone_gives_both_generators(small_run, small_settings):
    instrument = Origin("file", small_run.trained_generator(), {})
    model = values(network_variables(ProgressiveGAN(small_settings, small_run.labels, [[0, 1]], 2)))
    new = begun(instrument, small_run)
    for name, value in small_run.trained_generator().weights.items():
        assert np.array_equal(new[f"generator/{name}"], value)
        assert np.array_equal(new[f"ema_generator/{name}"], value)
    kept = [name for name in new if name.startswith("discriminator/")]
    assert all(np.array_equal(new[name], model[name]) for name in kept)


def test_labels_are_matched_at_every_block_that_is_told_them(small_settings):
    labels = {"pitch": [40, 41, 42], "effect": ["dry", "reverb"]}
    gan = {**small_settings.gan.model_dump(exclude={"labels"}), "skip_latent": True}
    generator = untrained_generator(labels, 2, **gan)
    settings = small_settings.replace(gan={"skip_latent": True, "labels": ["effect", "pitch"]})
    new = LabelSpace({"effect": ["reverb", "delay"], "pitch": [41, 42, 43]})
    model = ProgressiveGAN(settings, new, [[0, 1]], 2)
    Origin("file", generator, {}).put_into(model)
    size, found = settings.gan.latent_size, values(network_variables(model))
    for name in ("block_1/conv0/kernel", "block_2/skip/kernel"):
        old, fresh = generator.weights[name], found[f"generator/{name}"]
        assert np.array_equal(fresh[..., :size, :], old[..., :size, :])
        assert np.array_equal(fresh[..., size, :], old[..., size + 4, :])  # reverb
        assert np.array_equal(
            fresh[..., size + 2 : size + 4, :], old[..., size + 1 : size + 3, :]
        )  # 41 and 42


def test_an_original_checkpoint_gives_all_networks(fixtures, small_settings):
    origin = Origin.of_original(fixtures / "original_run")
    generator = read_original(fixtures / "original_run")
    settings = small_settings.replace(gan=generator.gan.model_dump())
    model = ProgressiveGAN(settings, generator.labels, [[0, 1]], 4)
    assert origin.weights.keys() == network_variables(model).keys()
    origin.put_into(model)
    for name, variable in values(network_variables(model)).items():
        assert np.array_equal(variable, origin.weights[name]), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gan.latent_size": 8}, r"gan\.latent_size: found 8, expected 256, as in "),
        ({"spectra.representation": "linear"}, r"spectra\.representation: found linear, exp"),
    ],
)
def test_networks_of_another_shape_are_one_line(
    small_run, small_settings, small_data, tmp_path, change, message
):
    origin = Origin.of_run(small_run)
    with pytest.raises(ReverbSynthError, match=message):
        train(small_settings.replace(**change), small_data, tmp_path / "run", origin=origin)
    assert not (tmp_path / "run").exists()


def test_a_lost_first_checkpoint_is_not_begun_afresh(
    small_run, small_settings, small_data, tmp_path
):
    run = tmp_path / "run"
    origin = Origin.of_run(small_run)
    train(small_settings, small_data, run, origin=origin, max_minutes=0)
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "images_seen": 0}))
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(ReverbSynthError, match="it began from other networks, but there is no"):
        train_command(run)
    train(small_settings, small_data, run, origin=origin, max_minutes=0)
    assert Checkpoints(Path(run) / "checkpoints").latest()
