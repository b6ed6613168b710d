"""Folders in which one process at a time may work."""

import threading

import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.lock import exclusive_lock


def test_a_locked_folder_is_refused_and_then_free(tmp_path):
    with (
        exclusive_lock(tmp_path, "is being trained"),
        pytest.raises(ReverbSynthError, match="is being trained by another process"),
        exclusive_lock(tmp_path, "is being trained"),
    ):
        pass
    with exclusive_lock(tmp_path, "is being trained"):
        pass


def test_one_that_waits_says_so_and_gets_it_afterwards(tmp_path, capsys):
    order, folder = [], tmp_path / "new" / "folder"

    def wait():
        with exclusive_lock(folder, "is being built", wait=True):
            order.append("second")

    thread = threading.Thread(target=wait)
    with exclusive_lock(folder, "is being built"):
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert "is being built by another process; waiting" in capsys.readouterr().err
