"""What notebooks share is made by one of them."""

import threading
import time

import pytest

from reverbsynth.book import workspace as module
from reverbsynth.book.workspace import Workspace, workspace
from reverbsynth.errors import ReverbSynthError
from reverbsynth.training.run import Run


def test_two_notebooks_that_need_the_same_wait_for_each_other(
    small_settings, monkeypatch, tmp_path
):
    at_once, most = 0, []

    def build(settings, directory):
        nonlocal at_once
        at_once += 1
        time.sleep(0.1)
        most.append(at_once)
        at_once -= 1
        return directory

    monkeypatch.setattr(module, "build_data", build)

    def notebook():
        assert Workspace(small_settings, small_settings, None, tmp_path).data

    threads = [threading.Thread(target=notebook) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]


@pytest.mark.parametrize("overrides", ['{"seed": 7}', "seed: 7", "{seed: 7}", {"seed": 7}])
def test_overrides_may_be_a_text(overrides):
    """As papermill's ``-p overrides`` gives it."""
    assert workspace("tiny", overrides=overrides).settings.seed == 7


@pytest.mark.parametrize("nothing", ["", None, {}, "{}"])
def test_nothing_is_overridden_by_nothing(nothing):
    assert workspace("tiny", overrides=nothing).settings == workspace("tiny", None).settings


@pytest.mark.parametrize("text", ["seed=7", "[7]", "{seed: 7", "7", 7])
def test_a_text_that_is_no_mapping_is_one_line(text):
    with pytest.raises(ReverbSynthError, match=r"^[^\n]*overrides[:=][^\n]*(expected|YAML)[^\n]*$"):
        workspace("tiny", overrides=text)


@pytest.mark.parametrize("key", ["1", "null", "cls", "path"])
def test_an_override_of_nothing_known_is_one_line(key):
    with pytest.raises(ReverbSynthError, match="no such setting"):
        workspace("tiny", overrides=f"{{{key}: 2}}")


def test_a_preset_of_none_is_the_default():
    assert workspace(None, overrides={"seed": 7}).settings.name == "tiny"


@pytest.mark.parametrize("digits", [2024, 0])
def test_a_run_may_be_named_by_digits(small_run, tmp_path, monkeypatch, digits):
    (tmp_path / str(digits)).symlink_to(small_run.directory)
    monkeypatch.chdir(tmp_path)
    assert workspace(run=digits).run.settings == small_run.settings


def test_a_checkout_that_cannot_be_written_names_the_variable(
    small_settings, monkeypatch, tmp_path
):
    (tmp_path / "file").touch()  # A folder below it cannot be made, not even by root.
    monkeypatch.setenv("REVERBSYNTH_CACHE", str(tmp_path / "file"))
    with pytest.raises(ReverbSynthError, match=r"cannot be written .* by REVERBSYNTH_CACHE$"):
        assert workspace("tiny").data


def test_a_finished_run_takes_no_overrides(small_run):
    with pytest.raises(ReverbSynthError, match=r"found evaluation\.notes, expected none"):
        workspace(run=small_run.directory, overrides={"evaluation.notes": 50})


def test_a_run_on_own_sounds_is_shown_with_its_own_data_set(small_run, small_data, monkeypatch):
    """Where that is on this machine; else embedded sounds stand in."""
    source = {"kind": "folder", "path": "sounds"}
    settings = small_run.settings.replace(**{"data.source": source})
    run = Run(small_run.directory, settings, small_run.manifest)
    monkeypatch.setattr(Run, "open", lambda directory: run)
    assert workspace(run="own").data.sha256 == small_data.sha256
    run.manifest = {**run.manifest, "data_sha256": "another"}
    assert workspace(run="own").given_data is None
