"""Folders in which one process at a time may work."""

import subprocess
import sys
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


@pytest.mark.parametrize("inherited", [True, False])
def test_one_that_is_inherited_is_held_by_what_outlives_a_killed_process(tmp_path, inherited):
    code = f"""
import subprocess, sys, time
from pathlib import Path
from reverbsynth.files.lock import exclusive_lock
with exclusive_lock(Path({str(tmp_path)!r}), "is being built", inherited={inherited}):
    child = [sys.executable, "-c", "import sys; print('here', flush=True); sys.stdin.read()"]
    subprocess.Popen(child, close_fds=False)
    time.sleep(60)
"""
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"here\n"
    process.kill()
    process.wait()
    try:
        with exclusive_lock(tmp_path, "is being built"):
            held = False
    except ReverbSynthError:
        held = True
    assert held == inherited
    process.stdin.close()  # which ends the child
    with exclusive_lock(tmp_path, "is being built", wait=True):
        pass
    process.stdout.close()
