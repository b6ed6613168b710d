"""What the pages tell a reader to type works as it stands."""

import re
from pathlib import Path
from typing import Annotated, ClassVar

import nbformat
import numpy as np
import pytest
import yaml
from pydantic import Field

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.cli import app
from reverbsynth.effects import Effect, effects
from reverbsynth.settings import Settings, presets

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "book").glob("*.md"), ROOT / "README.md"])


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), flags=re.S | re.M)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_commands_exist(path):
    known = {
        each.name or each.callback.__name__.replace("_", "-") for each in app.registered_commands
    }
    for block in blocks(path, "bash"):
        for line in block.splitlines():
            if command := re.match(r"(?:\.venv/bin/)?reverbsynth ([\w-]+)", line):
                assert command[1] in known, line
            if preset := re.search(r"--preset (\S+)|PRESET=(\S+)", line):
                assert (preset[1] or preset[2]) in presets(), line
            for key, value in re.findall(r"--set ([\w.]+)=(\S+)", line):
                Settings.preset(
                    "tiny", **{"data.source.kind": "nsynth"}, **{key: yaml.safe_load(value)}
                )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_settings_files_load(path, tmp_path):
    for block in blocks(path, "yaml"):
        file = tmp_path / "mine.yaml"
        file.write_text(block)
        effects(Settings.load(file).data.effects, seed=0)


def test_tables_of_presets_list_them_all():
    for path in (ROOT / "README.md", ROOT / "book" / "running.md"):
        listed = re.findall(r"^\| `([\w-]+)` \|", path.read_text(), flags=re.M)
        assert sorted(listed) == sorted(presets()), path


def test_the_effect_of_the_contributor_s_page_is_one():
    (code,) = blocks(ROOT / "book" / "contributing.md", "python")
    names = {"Effect": Effect, "ClassVar": ClassVar, "Annotated": Annotated, "Field": Field}
    names |= {"np": np, "SAMPLE_RATE": SAMPLE_RATE}
    exec(code, names)
    audio = np.ones((2, 64_000), np.float32)
    made = names["Tremolo"](rate=2.0)(audio, ["a", "b"])
    assert made.shape == audio.shape
    assert made.max() == pytest.approx(1.5)
    assert made.min() == pytest.approx(0.5)


def test_the_page_on_the_core_names_what_is_there():
    links = re.findall(r"\[`(\w+)`\]\(\S+?/blob/main/(\S+?)\)", (ROOT / "book/core.md").read_text())
    assert len(links) > 10
    for name, path in links:
        assert re.search(rf"^(def|class) {name}\b", (ROOT / path).read_text(), flags=re.M), name


@pytest.mark.parametrize("page", ["core", "contributing"])
def test_named_files_exist(page):
    text = (ROOT / "book" / f"{page}.md").read_text()
    paths = re.findall(r"`([\w/]+/(?:\w+\.py)?)`", text)
    assert len(paths) > 3
    for path in paths:
        assert (ROOT / path).exists() or (ROOT / "reverbsynth" / path).exists(), path


def test_the_index_links_every_table_and_figure_of_the_paper():
    root = Path(__file__).parents[2]
    links = re.findall(
        r'href="notebooks/(\w+)\.html#([\w-]+)">(\w+) (\d+)<', (root / "book/paper.md").read_text()
    )
    expected = [("Table", n) for n in range(1, 6)] + [("Figure", n) for n in range(1, 25)]
    assert [(kind, int(number)) for _, _, kind, number in links] == expected
    for notebook, anchor, kind, number in links:
        cells = nbformat.read(root / "notebooks" / f"{notebook}.ipynb", 4).cells
        odd = int(number) - (int(number) + 1) % 2  # figures 1 and 2 are one picture, and so on
        drawn = f"show({odd}, " if kind == "Figure" and int(number) <= 16 else f"{anchor}"
        (cell,) = [
            cell.source for cell in cells if re.search(rf"{re.escape(drawn)}\b", cell.source)
        ]
        assert drawn.startswith("show") or f"**{kind} {number}" in cell
