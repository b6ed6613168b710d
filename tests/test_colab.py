"""Colab: what its machines have, the library can use as it is."""

import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def colab_packages(fixtures) -> dict[str, str]:
    lines = (fixtures / "colab_packages.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_installing_the_library_changes_no_package_of_colab(fixtures):
    there = colab_packages(fixtures)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["play"], *extras["train"]]
    waiting = [("reverbsynth", text) for text in asked if not text.startswith("reverbsynth")]
    added, refused = set(), []
    while waiting:
        origin, text = waiting.pop()
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        if name in there:
            if not wanted.specifier.contains(there[name]):
                refused.append(f"{origin}: {text}, Colab has {there[name]}")
        elif name not in added:
            # What is not there is installed, and may ask for others in turn.
            added.add(name)
            waiting += [(name, text) for text in requires(name) or []]
    assert not refused
    assert {"mido", "onnxruntime", "pretty-midi"} <= added
