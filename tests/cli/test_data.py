import json
import shutil

import pytest
import soundfile
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
        run(*arguments, "--strict")
    printed = run(*arguments)
    for line in (printed, run(*arguments)):  # Built now, and found again.
        assert f"left out: {source}/midi90.wav: not a readable sound file" in line
        assert f"all notes, to look at and listen to: {tmp_path / 'data' / 'sheet.html'}" in line


def test_a_check_builds_nothing(run, sounds, tmp_path):
    arguments = ("data", tmp_path / "data", "--source", "folder", "--path", sounds)
    printed = run(*arguments, "--check", "--set", "data.source.pitches=[36, 42]")
    assert "note: data.source.pitches: 5 of 12 sounds are not from 36 to 42" in printed
    assert "pitches by name: 7\n" in printed
    assert "7 notes can be used; nothing was built" in printed
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["sheet.html"]


def test_a_data_set_that_is_there_has_its_own_settings(run, sounds, tmp_path):
    directory = tmp_path / "data"
    run("data", directory, "--source", "folder", "--path", sounds, "--set", "seed=3")
    before = (directory / "manifest.json").read_bytes()
    sheet = (directory / "sheet.html").read_bytes()
    assert "notes (dry, reverb)" in run("data", directory)
    assert "notes (dry, reverb)" in run("data", directory, "--rebuild")
    assert (directory / "manifest.json").read_bytes() == before
    with pytest.raises(ReverbSynthError, match=r"remove_offset: found .* --rebuild"):
        run("data", directory, "--set", "data.remove_offset=true")
    # A check of others leaves its sheet alone.
    printed = run("data", directory, "--check", "--set", "data.source.pitches=[36, 42]")
    assert f"listen to: {directory / 'check.html'}" in printed
    assert (directory / "sheet.html").read_bytes() == sheet


def test_a_changed_source_is_refused_until_it_is_asked_for(run, sounds, tmp_path):
    source = shutil.copytree(sounds, tmp_path / "source")
    arguments = ("data", tmp_path / "data", "--source", "folder", "--path", source)
    run(*arguments)
    (source / "midi36.wav").unlink()
    with pytest.raises(ReverbSynthError, match=r"1 removed \(source/midi36\.wav\); .* --rebuild"):
        run(*arguments)
    assert "notes (dry, reverb)" in run(*arguments, "--rebuild")
    shutil.rmtree(source)
    assert f"warning: {source}: not found; the data set is as it was built" in run(*arguments)


@pytest.mark.parametrize("name", ["a\u3000b\xa0c", 'it\'s "so"', "back\\slash", "{a: 1} #"])
def test_a_path_is_taken_as_it_is(name, run, sounds, tmp_path):
    (tmp_path / name).symlink_to(sounds)
    arguments = ("--source", "folder", "--path", tmp_path / name)
    assert "notes (dry, reverb)" in run("data", tmp_path / "data", *arguments)


def test_the_home_directory_by_its_sign(run, sounds, tone, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sounds").symlink_to(sounds)
    soundfile.write(tmp_path / "room.wav", tone(60), 16_000)
    room = "[{kind: dry}, {kind: convolution, parameters: {path: ~/room.wav}}]"
    arguments = ("--source", "folder", "--path", "~/sounds", "--set", f"data.effects={room}")
    assert "notes (dry, convolution)" in run("data", tmp_path / "data", *arguments)
    font = ("--source", "soundfont", "--path", "~/none.sf2")
    with pytest.raises(ReverbSynthError, match=rf"{tmp_path}/none\.sf2: cannot be read"):
        run("data", tmp_path / "other", *font)


def test_a_label_that_notes_lack_is_told_before_a_training(run, sounds, tmp_path):
    arguments = ("data", tmp_path / "data", "--source", "folder", "--path", sounds)
    with pytest.raises(ReverbSynthError, match=r"24 notes have no velocity, expected one of each"):
        run(*arguments, "--set", "gan.labels=[pitch, velocity]")


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


def test_keys_that_are_kept_for_the_evaluation_are_counted(run, sounds, tmp_path):
    printed = run("data", tmp_path / "data", "--source", "folder", "--path", sounds)
    assert "10 of 12 keys are trained; data.split keeps the others for evaluate" in printed
    assert "warning" not in printed
