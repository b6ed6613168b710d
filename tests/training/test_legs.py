"""A training made longer: it goes on where it ended, and tells its legs."""

import math
import shutil
from pathlib import Path

import pytest

from reverbsynth.cli.train import train as train_command
from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.settings import Settings
from reverbsynth.training.checkpoints import Checkpoints, restore
from reverbsynth.training.run import Run
from reverbsynth.training.stage_lengths import begun_at, in_minutes, lengthened, stage_lengths
from reverbsynth.training.train import train

from .test_stage_progress import StepClock
from .test_train import StopIn, same_state


@pytest.fixture
def copy(small_run, tmp_path) -> Path:
    """A finished run to go on with."""
    return Path(shutil.copytree(small_run.directory, tmp_path / "copy"))


def test_a_finished_run_goes_on_as_if_it_had_been_longer_from_the_start(
    copy, small_settings, small_data, tmp_path
):
    """Also where the new leg is interrupted, and the run has moved."""
    longer = lengthened(small_settings, 12)
    stopped = train(longer, small_data, copy, callbacks=[StopIn(2)])
    assert stopped.manifest["images_seen"] == 52
    moved = copy.rename(tmp_path / "moved")
    train_command(moved)
    run = Run.open(moved)
    assert run.finished
    assert run.manifest["images_seen"] == 56
    same_state(train(longer, small_data, tmp_path / "whole"), run)
    first, second = run.legs
    assert (first["images"], second["images"]) == (44, 12)
    assert second["settings"] == {
        "training.stage_images": [16, 12, 28],
    }
    assert first["minutes"] > 0
    assert second["minutes"] > 0
    assert first["commit"] == second["commit"] == run.manifest["commit"]
    assert first["begun"] <= second["begun"]
    # The command that began the run goes on with what it is now.
    assert train(small_settings, small_data, moved).settings == longer


def test_the_next_stages_follow(copy, small_run, small_settings, small_data, capsys):
    train_command(copy, until_stage=3)
    run = Run.open(copy)
    assert run.finished
    assert run.stages == [0, 1, 2, 3]
    assert run.manifest["images_seen"] == 44 + small_settings.training.transition_images
    assert "finished" in capsys.readouterr().out
    for name, weights in small_run.weights(2).items():
        assert (weights == run.weights(2)[name]).all()


def test_a_leg_by_the_clock(small_settings, small_data, tmp_path):
    timed = small_settings.replace(
        **{
            "training.stage_minutes": [4 / 60],
            "training.last_stage": 0,
            "optimizer.final_rate": 0.5,
        }
    )
    clock = StepClock()
    options = {"callbacks": [clock], "clock": clock}
    train(timed, small_data, tmp_path / "run", **options)
    run = train(lengthened(timed, 3 / 60), small_data, tmp_path / "run", **options)
    # Five steps of which the first takes no time; then four more.
    assert [leg["images"] // 4 for leg in run.legs] == [5, 4]
    assert run.legs[1]["settings"] == {"training.stage_minutes": [7 / 60]}


def test_a_process_killed_while_a_leg_begins_loses_nothing(copy, small_settings, small_data):
    before = (copy / "settings.yaml").read_bytes()
    longer = lengthened(small_settings, 4)
    train(longer, small_data, copy, max_minutes=0)
    (copy / "settings.yaml").write_bytes(before)
    assert Run.open(copy).settings == longer
    train(longer, small_data, copy, max_minutes=0)
    assert Settings.load(copy / "settings.yaml").hash == longer.hash


@pytest.mark.parametrize("preset", ["tiny", "laptop", "paper"])
def test_minutes_scale_any_schedule(preset):
    settings = Settings.preset(preset)
    scaled = in_minutes(settings, 10)
    assert sum(scaled.training.stage_minutes) == pytest.approx(10)
    assert scaled.training.last_stage == settings.training.last_stage
    assert in_minutes(scaled, 10) == scaled
    shares = [minutes / 10 for minutes in scaled.training.stage_minutes]
    longer = in_minutes(scaled, 30).training.stage_minutes
    assert [minutes / 30 for minutes in longer] == pytest.approx(shares, abs=1e-6)
    brief = scaled.replace(training={"last_stage": 0, "stage_minutes": [1e-6]})
    assert in_minutes(brief, 5).training.stage_minutes == (5.0,)


def test_a_stage_in_which_a_block_faded_in_is_followed_by_its_own():
    settings = Settings.preset("tiny", **{"training.last_stage": 3})
    begun = begun_at(Settings.preset("tiny", **{"training.last_stage": 4}), 2)
    again = lengthened(lengthened(lengthened(begun, 800), None, last_stage=5), None, last_stage=6)
    assert stage_lengths(again.training) == [0, 0, 2000, 500, 2800, 500, 2000]
    longer = lengthened(settings, 400)
    assert stage_lengths(longer.training) == [*stage_lengths(settings.training), 400]


def test_a_longer_schedule_is_not_cut_short_by_the_total():
    settings = Settings.preset("tiny", **{"training.total_images": 2100})
    assert stage_lengths(settings.training) == [2000, 100]
    longer = lengthened(settings, 800, last_stage=3)
    # The block that was cut short while it faded in fades in first.
    assert stage_lengths(longer.training) == [2000, 500, 400, 400]


def test_what_cannot_be_made_longer_is_one_line(copy, tmp_path):
    with pytest.raises(ReverbSynthError, match="more: found 3, expected images, at least a batch"):
        train_command(copy, more=3)
    with pytest.raises(ReverbSynthError, match=r"more: found 6, expected images, .* each stage"):
        lengthened(Settings.preset("laptop"), 6, 12)
    for more in (math.inf, math.nan):
        with pytest.raises(ReverbSynthError, match=f"more: found {more}, expected images"):
            train_command(copy, more=more)
    with pytest.raises(ReverbSynthError, match=r"stage_minutes.0: found inf"):
        in_minutes(Settings.preset("laptop"), math.inf)
    with pytest.raises(ReverbSynthError, match="not a run yet, expected one that --more"):
        train_command(tmp_path / "new", more=3)
    with pytest.raises(ReverbSynthError, match="stages 11 to 12: have no images yet"):
        train_command(tmp_path / "new", preset="laptop", until_stage=12)
    with pytest.raises(ReverbSynthError, match="stages 11 to 12: have no minutes yet"):
        lengthened(in_minutes(Settings.preset("laptop"), 10), None, 12)
    with pytest.raises(ReverbSynthError, match="stages 11 to 12: have no images yet"):
        lengthened(begun_at(Settings.preset("laptop"), 10), None, 12)


def test_a_run_without_checkpoints_is_not_called_longer(copy):
    for path in (copy / "checkpoints").iterdir():
        path.unlink()
    before = Run.open(copy)
    with pytest.raises(ReverbSynthError, match="no checkpoint to go on from"):
        train_command(copy, more=12)
    assert Run.open(copy).manifest == before.manifest


def test_more_is_added_to_what_a_run_has_become(copy, small_settings, tmp_path):
    """Also where the settings that it was begun with are named again."""
    file = tmp_path / "small.yaml"
    file.write_text(small_settings.to_yaml())
    for images in (56, 68):
        train_command(copy, settings=file, more=12)
        assert Run.open(copy).manifest["images_seen"] == images


def test_settings_of_notes_that_are_there_already_are_not_ignored(copy, small_data, tmp_path):
    named = ["data.remove_offset=true"]
    for run, data in ((copy, None), (tmp_path / "new", small_data.directory)):
        with pytest.raises(ReverbSynthError, match=r"other settings: data\.remove_offset: found"):
            train_command(run, data=data, preset=None if data is None else "tiny", set_=named)
    assert not (tmp_path / "new").exists()


def test_rates_fall_in_the_last_stage_that_is_trained(small_settings, small_data, tmp_path):
    """Which the total may say; and are whole again once that is not the last."""
    brief = {"training.total_images": 24, "optimizer.final_rate": 0.1}
    settings = small_settings.replace(**brief)
    run = train(settings, small_data, tmp_path / "run")
    assert run.stages == [0, 1]
    assert run.trained_generator(0).progress == 0
    assert run.trained_generator().progress == pytest.approx(2 / 3)  # 8 of 12 images of it.
    model = ProgressiveGAN(settings, run.labels, run.histogram, 1)
    restore(model, Checkpoints(run.directory / "checkpoints").latest().state)
    rate = settings.optimizer.generator_rate
    assert float(model.optimizer.generator.learning_rate) < 0.8 * rate
    longer = lengthened(settings, 8)
    train(longer, small_data, run.directory, max_minutes=0)
    model = ProgressiveGAN(longer, run.labels, run.histogram, 1)
    restore(model, Checkpoints(run.directory / "checkpoints").latest().state)
    assert float(model.optimizer.generator.learning_rate) == pytest.approx(rate)
