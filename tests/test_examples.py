"""The examples in docstrings run."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "reverbsynth"
TRAINING = "reverbsynth.training", "reverbsynth.instrument"
"""Packages whose examples need a trained run."""

MODULES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text()
]


def examples_run(name: str) -> None:
    result = doctest.testmod(
        import_module(name.removesuffix(".__init__")), optionflags=doctest.ELLIPSIS
    )
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith(TRAINING)])
def test_examples_run(name, small_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(small_data.directory)
    examples_run(name)


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith(TRAINING)])
def test_examples_of_trained_networks_run(name, small_run, small_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(small_data.directory)
    (tmp_path / "run").symlink_to(small_run.directory)
    examples_run(name)
