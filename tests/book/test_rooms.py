"""The picture of the packages."""

import re

from reverbsynth.book.rooms import ABOUT, PACKAGE, draw_rooms, imports


def test_every_package_is_there_but_the_files_at_the_bottom():
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert set(ABOUT) == packages - {"files"}


def test_imports_are_those_of_the_code():
    graph = imports()
    assert "gan" in graph["training"]
    assert "training" not in graph["gan"]
    assert graph["cli"] >= {"training", "instrument"}


def test_it_is_drawn(tmp_path):
    draw_rooms(tmp_path)
    drawn = (tmp_path / "rooms.svg").read_text()
    shown = re.findall(r"<!-- (\w+): [\d,]+ lines -->", drawn)
    assert set(shown) == set(ABOUT)
