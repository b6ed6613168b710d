"""What an installation without extras can do, and what it says of the rest."""

import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reverbsynth.instrument.examples import BASS_LINE
from tests.test_repository import PROJECT

WITHOUT = """
import sys
class Absent:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent)
from reverbsynth.cli import main
main()
"""


def needed(lines: Iterable[str]) -> set[str]:
    """Packages that are asked for, and what they ask for in turn."""
    found, waiting = set(), [Requirement(line) for line in lines]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        used = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
        if used and name not in found:
            found.add(name)
            try:
                waiting += [Requirement(line) for line in requires(name) or []]
            except PackageNotFoundError:
                continue  # for another system
    return found


@pytest.fixture(scope="module")
def script() -> str:
    """The command line where only the packages without extras are installed."""
    there = needed(PROJECT["dependencies"]) | {"reverbsynth"}
    absent = {
        module
        for module, packages in packages_distributions().items()
        if module not in sys.stdlib_module_names
        and not there & {canonicalize_name(package) for package in packages}
    }
    assert {"keras", "tensorflow", "pandas", "matplotlib", "papermill"} <= absent
    return WITHOUT.format(absent=absent)


def called(script: str, *arguments: str | Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


_SMALL = ("--set", "data.source.programs=[33]", "--set", "data.source.pitches=[40, 42]")


@pytest.mark.parametrize(
    ("command", "made"),
    [
        (("play", "laptop", "--pitch", "C#2", "-o", "{}/note.flac"), "note.flac"),
        (("play", "laptop", BASS_LINE, "-o", "{}/song.wav", "--loudness", "-16"), "song.wav"),
        (("export", "laptop", "-o", "{}/bass.sfz", "--keys", "40..40"), "bass.sfz"),
        (("export", "laptop", "-o", "{}/page"), "page/index.html"),
        (("data", "{}/data", *_SMALL), "data/train.tfrecord"),
    ],
    ids=["play", "play MIDI", "export", "page", "data"],
)
def test_players_and_data_sets_need_no_extra(script, tmp_path, command, made):
    done = called(script, *(str(part).replace("{}", str(tmp_path)) for part in command))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / made).stat().st_size > 100


@pytest.mark.parametrize(
    ("extra", "command"),
    [("train", ("train", "run")), ("train", ("evaluate", "laptop")), ("book", ("book",))],
)
def test_a_missing_extra_is_named(script, extra, command):
    if command[0] == "evaluate":
        command = ("evaluate", str(Path(__file__).parents[1] / "book" / "results" / "laptop"))
    done = called(script, *command, *(("--data", "nowhere") if command[0] != "book" else ()))
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("reverbsynth: ")
    assert f"pip install 'reverbsynth[{extra}]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
