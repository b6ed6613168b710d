"""Instruments that come with the package: in a checkout and from an installed wheel, by name."""

import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.shipped import find, shipped

ROOT = Path(__file__).parents[2]
UV = (sys.executable, "-m", "uv")


def test_a_wheel_holds_every_instrument_with_its_card():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["data-files"] == {
        f"share/reverbsynth/{name}": [
            f"book/results/{name}/instrument.safetensors",
            f"book/results/{name}/README.md",
        ]
        for name in shipped()
    }


def test_a_page_of_its_name_does_not_hide_an_instrument(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "laptop").mkdir()
    (tmp_path / "laptop" / "index.html").touch()
    assert find("laptop") == shipped()["laptop"]
    (tmp_path / "laptop" / "manifest.json").touch()  # A run of one's own does.
    assert find("laptop") == Path("laptop")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of what a wheel is made of, with one more instrument."""
    folder = tmp_path_factory.mktemp("checkout")
    unbuilt = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "reverbsynth", folder / "reverbsynth", ignore=unbuilt)
    for name in ("laptop", "second"):
        shutil.copytree(shipped()["laptop"].parent, folder / "book" / "results" / name)
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    held = [line for line in lines if line.startswith('"share/reverbsynth/')]
    (line,) = (line for line in held if "laptop" in line)
    lines[lines.index(held[0])] = line + "\n" + line.replace("laptop", "second")
    lines = [line for line in lines if line not in held]
    (folder / "pyproject.toml").write_text("\n".join(lines))
    return folder


def run(*command, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def names(listed: str) -> list[str]:
    """The names in the list of instruments, each at the beginning of a line."""
    return [line.split(":")[0] for line in listed.splitlines() if not line.startswith("- ")]


def test_all_instruments_of_a_checkout_are_listed(checkout):
    command = (sys.executable, "-m", "reverbsynth.cli", "instruments")
    assert names(run(*command, cwd=checkout)) == ["laptop", "second"]


@pytest.mark.slow
def test_all_instruments_of_an_installed_wheel_play_by_name(checkout, tmp_path):
    # By what is installed here already, so that nothing is fetched.
    offline = ("--quiet", "--offline")
    build = ("build", "--wheel", "--no-build-isolation", "--python", sys.executable)
    run(*UV, *build, *offline, "-o", tmp_path / "dist", checkout)
    run(*UV, "venv", *offline, "--python", sys.executable, tmp_path / "env")
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    python = tmp_path / "env" / "bin" / "python"
    run(*UV, "pip", "install", *offline, "--no-deps", "--python", python, wheel)
    (packages,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    (packages / "rest.pth").write_text(sysconfig.get_path("purelib"))
    alone = {"cwd": tmp_path, "env": {"PATH": "", "HOME": str(tmp_path)}}
    command = tmp_path / "env" / "bin" / "reverbsynth"
    listed = run(command, "instruments", **alone)
    assert names(listed) == ["laptop", "second"]
    paths = [Path(line.split(": ")[1]) for line in listed.splitlines() if ".safetensors" in line]
    assert all(path.is_relative_to(tmp_path) for path in paths)
    assert all((path.parent / "README.md").is_file() for path in paths)
    run(command, "play", "second", "--effect", "reverb", "-o", "note.wav", **alone)
    assert (tmp_path / "note.wav").is_file()


def test_what_is_there_counts_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Instrument.load("laptop").save("laptop")
    assert find("laptop") == Path("laptop")
    assert find("~/laptop") == tmp_path / "laptop"
    with pytest.raises(ReverbSynthError, match=r"none: no such file .* or one of effects, laptop"):
        find("none")
