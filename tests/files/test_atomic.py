"""Files are whole or not there."""

import os
import time

import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import atomic_path, check_file, reserve, write_json, write_text


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
