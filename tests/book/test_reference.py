"""The generated pages: every setting is described, every public name has its place."""

import re
from pathlib import Path

import pytest

from reverbsynth.book import reference
from reverbsynth.effects import kinds
from reverbsynth.settings import Settings, presets

ROOT = Path(reference.__file__).parent


def leaves(values, path=""):
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


@pytest.fixture(scope="module")
def page() -> str:
    return reference.settings_page()


def rows(page: str) -> dict[str, list[str]]:
    """Cells by dotted name."""
    found, section = {}, ""
    for line in page.splitlines():
        if heading := re.match(r"## ([\w.]+)", line):
            section = "" if heading[1] == "The" else f"{heading[1]}."
        elif row := re.match(r"\| `(\w+)` \|", line):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found.setdefault(f"{section}{row[1]}", cells)
    return found


def test_every_setting_has_a_row_and_a_meaning(page):
    found = rows(page)
    names = [name for name in leaves(Settings().model_dump(mode="json")) if name != "data.effects"]
    assert len(names) > 50
    assert [name for name in names if name not in found] == []
    wordless = [name for name, cells in found.items() if name in names and not cells[3]]
    assert wordless == ["data.source.kind"]


def test_a_row_says_type_default_and_presets(page):
    kind, default, _, differing = rows(page)["training.batch"][1:]
    assert kind == "integer from 2"
    assert default == "`64`"
    assert f"tiny: `{Settings.preset('tiny').training.batch}`" in differing
    assert "paper:" not in differing
    assert rows(page)["gan.labels"][1] == 'list of `"pitch"` or `"effect"` or `"instrument"`'


def test_presets_are_all_told_apart(page):
    assert all(f"{name}: " in page for name in presets() if name != "paper")


def test_every_effect_has_its_parameters(page):
    for kind in kinds():
        assert f"### {kind}\n" in page
    assert "| `max_delay` | number above 0 to 4 | `0.05` | seconds |" in page


def test_every_module_of_a_part_is_there():
    parts = [part for parts in reference.PARTS.values() for part in parts]
    assert len(parts) == len(set(parts))
    for part in parts:
        assert (ROOT / part).is_dir() or (ROOT / f"{part}.py").is_file(), part
    page = reference.api_page("Data")
    assert ".. automodule:: reverbsynth.data.build\n" in page
    assert re.search(r"automodule:: reverbsynth.data.build\n   :members: .*build_data", page)


def test_public_names_are_the_documented_ones():
    names = reference.public_names("reverbsynth.data.sources.folder")
    assert {"COLUMNS", "Folder", "read_table"} <= set(names)
    assert not any(name.startswith("_") for name in names)


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("`build_data`", ":py:obj:`build_data <reverbsynth.data.build.build_data>`"),
        ("`reverbsynth.build_data`", ":py:obj:`reverbsynth.build_data <reverbsynth.data.build"),
        ("`Run.open`", ":py:obj:`Run.open <reverbsynth.training.run.Run.open>`"),
        ("`nothing_of_that_name`", "``nothing_of_that_name``"),
        ("``build_data``", "``build_data``"),
    ],
)
def test_names_in_docstrings_become_links(text, linked):
    lines = [f"See {text}."]
    reference._link_names(None, "function", "reverbsynth.training.train.train", None, None, lines)
    assert lines[0].startswith(f"See {linked}")
