import json

import pytest
import typer
from typer.testing import CliRunner

from reverbsynth.cli.data import data
from reverbsynth.cli.download import download
from reverbsynth.errors import ReverbSynthError


@pytest.fixture
def run():
    """Run a command: run(*arguments) -> what it printed."""
    app = typer.Typer()
    app.command()(data)
    app.command()(download)

    def invoke(*arguments):
        result = CliRunner().invoke(app, [str(one) for one in arguments])
        if result.exception is not None:
            raise result.exception
        return result.output

    return invoke


def test_nsynth_by_name_is_the_paper_selection(run, nsynth, tmp_path):
    printed = run("data", tmp_path / "data", "--source", "nsynth", "--path", nsynth)
    assert "8 train, 2 valid, 2 test notes (dry, reverb)" in printed
    manifest = json.loads((tmp_path / "data" / "manifest.json").read_text())
    source = manifest["settings"]["source"]
    assert (source["family"], source["source"]) == ("bass", "acoustic")


def test_settings_go_on_top_of_the_source(run, nsynth, tmp_path):
    printed = run(
        *("data", tmp_path / "data", "--source", "nsynth", "--path", nsynth),
        *("--set", "data.source.source=null", "--set", "data.effects=[{kind: dry}]"),
    )
    assert "notes (dry)" in printed
    assert len(json.loads((tmp_path / "data" / "manifest.json").read_text())["effects"]) == 1


def test_skipped_notes_are_printed(run, sounds, tmp_path):
    source = tmp_path / "it's a folder"
    source.mkdir()
    for path in sounds.iterdir():
        (source / path.name).symlink_to(path)
    (source / "midi90.wav").write_bytes(b"none")
    arguments = ("data", tmp_path / "data", "--source", "folder", "--path", source)
    with pytest.raises(ReverbSynthError, match=r"midi90\.wav"):
        run(*arguments)
    printed = run(*arguments, "--skip-bad")
    assert "skipped: " in printed
    assert "midi90.wav: not a readable sound file" in printed


def test_a_mistake_in_a_setting(run, tmp_path):
    with pytest.raises(ReverbSynthError, match=r"data\.source\.sauce: no such setting"):
        run("data", tmp_path / "data", "--set", "data.source.sauce=1")
    assert not (tmp_path / "data").exists()


def test_keys_without_notes_are_a_warning(run, sounds, tmp_path):
    source = tmp_path / "every other key"
    source.mkdir()
    for path in sorted(sounds.iterdir())[::2]:
        (source / path.name).symlink_to(path)
    arguments = ("--source", "folder", "--path", source)
    printed = run("data", tmp_path / "data", *arguments, "--set", "data.split=[1, 0, 0]")
    assert "warning: 6 of 11 keys have notes (6 in train)" in printed


def test_no_warning_where_every_key_has_notes(run, sounds, tmp_path):
    arguments = ("--source", "folder", "--path", sounds)
    printed = run("data", tmp_path / "data", *arguments, "--set", "data.split=[1, 0, 0]")
    assert "keys" not in printed
