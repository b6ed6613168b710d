"""Files are whole or not there."""

import os
import shutil
import time

import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import (
    atomic_path,
    check_file,
    replacing,
    reserve,
    write_json,
    write_text,
)


def fail_halfway(temporary, error):
    temporary.write_text("half")
    raise error


def test_failure_leaves_the_old_file_and_no_stray(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        fail_halfway(temporary, RuntimeError())
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_full_disk_is_one_line(tmp_path):
    with (
        pytest.raises(ReverbSynthError, match=r"file\.txt: cannot be written \(No space left"),
        atomic_path(tmp_path / "file.txt") as temporary,
    ):
        fail_halfway(temporary, OSError(28, "No space left on device"))
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_an_hour_ago_is_removed(tmp_path):
    """Not what may be written right now, nor what is of another file."""
    names = ("a.1234abcd", "a.abcd1234", "b.1234abcd")
    old, young, other = (tmp_path / f".{name}.partial.txt" for name in names)
    for path in (old, young, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (time.time() - 4000,) * 2)
    write_text(tmp_path / "a.txt", "whole")
    assert {path.name for path in tmp_path.iterdir()} == {young.name, other.name, "a.txt"}


@pytest.mark.parametrize("fails_at", [0, 1])
def test_a_folder_that_cannot_be_replaced_stays(tmp_path, monkeypatch, fails_at):
    folder, new = page(tmp_path / "html", "old"), page(tmp_path / "new", "new")
    rename, renamed = os.replace, []

    def fail(source, target):
        renamed.append(target)
        if len(renamed) == 1 + fails_at:
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        replace_folder(folder, new)
    assert text(folder) == "old"
    replace_folder(folder, new)
    assert text(folder) == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["html"]


@pytest.mark.parametrize("killed_at", [0, 1])
def test_a_folder_whose_replacement_was_killed_is_made_good(tmp_path, monkeypatch, killed_at):
    """What a kill leaves is what is there before a rename."""
    folder, left = page(tmp_path / "a" / "html", "old"), []
    new = page(tmp_path / "a" / "new", "new")
    rename = os.replace

    def snapshot(source, target):
        left.append(shutil.copytree(tmp_path / "a", tmp_path / f"left{len(left)}"))
        rename(source, target)

    monkeypatch.setattr(os, "replace", snapshot)
    replace_folder(folder, new)
    monkeypatch.undo()
    there = left[killed_at]
    assert "old" in [text(path) for path in there.iterdir()]
    again = page(there / "again", "newer")
    replace_folder(there / "html", again)
    assert text(there / "html") == "newer"
    assert {path.name for path in there.iterdir()} == {"html", "new"}


def replace_folder(folder, new):
    with replacing(folder):
        os.replace(new, folder)


def page(folder, content):
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(content)
    return folder


def text(folder):
    return (folder / "index.html").read_text()


def test_a_file_that_is_mapped_has_its_room_on_the_disk(tmp_path):
    """Else a disk that fills ends the process with a bus error."""
    path = tmp_path / "images.npy"
    with path.open("wb") as file:
        file.truncate(2**20)
    assert path.stat().st_blocks == 0
    reserve(path)
    assert path.stat().st_blocks * 512 >= path.stat().st_size == 2**20


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(ReverbSynthError, match="cannot be written"):
        write_text(tmp_path / "folder" / "file.txt", "text")


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_a_place_that_is_there_is_no_name(place):
    for write in (check_file, lambda path: write_text(path, "text")):
        with pytest.raises(ReverbSynthError, match="expected a name"):
            write(place)


def test_a_folder_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ReverbSynthError, match="is a folder, expected a file's name"):
        check_file(tmp_path)
    check_file(tmp_path / "new" / "file.json")


def test_json_takes_no_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "file.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())
