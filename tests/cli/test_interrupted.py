"""A signal that ends a command counts wherever it arrives."""

import signal
import subprocess
import sys

import pytest

COLLECTS = """
import gc, os, signal, sys, time
from reverbsynth import cli

# A shell's background job ignores it, and so would the command.
signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupted(phase, _):
    gc.callbacks.remove(interrupted)
    os.kill(os.getpid(), NUMBER)

def collects():
    gc.callbacks.append(interrupted)
    gc.collect()
    time.sleep(600)
    print("went on")

cli.app.command()(collects)
sys.argv = ["reverbsynth", "collects"]
cli.main()
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_within_a_callback_of_the_garbage_collector_ends_the_command(number, status):
    """As within JAX's, where Python drops every exception and goes on."""
    code = COLLECTS.replace("NUMBER", str(int(number)))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "went on" not in done.stdout


SLOW = """
import threading

class Slow(threading.Timer):
    many = 0

    def start(self):
        Slow.many += 1
        super().start()
        time.sleep(1 if Slow.many == 1 else 0)

threading.Timer = Slow
"""


def test_a_signal_sent_again_while_python_still_reports_the_first_counts_too():
    """As on a busy machine, where the hook for dropped exceptions takes its time."""
    code = COLLECTS.replace("NUMBER", str(int(signal.SIGTERM)))
    code = code.replace("cli.app.command()", f"{SLOW}\ncli.app.command()", 1)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 143, done.stderr


TRANSLATES = """
import os, signal, sys
from reverbsynth import cli

signal.signal(signal.SIGINT, signal.default_int_handler)

def translates():
    try:
        if NUMBER:
            os.kill(os.getpid(), NUMBER)
    except BaseException:
        pass
    raise ImportError("initialization failed")

cli.app.command()(translates)
sys.argv = ["reverbsynth", "translates"]
cli.main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_a_library_makes_of_a_signal_is_no_traceback(number):
    """As an extension's import does of a Ctrl-C, or a sound file's writer of its short write."""
    code = TRANSLATES.replace("NUMBER", str(int(number)))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 128 + number
    assert done.stderr == ""


def test_what_no_signal_caused_is_reported():
    command = [sys.executable, "-c", TRANSLATES.replace("NUMBER", "0")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert "ImportError: initialization failed" in done.stderr
