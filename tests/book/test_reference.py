"""The generated pages: every setting is described, every public name has its place."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reverbsynth.book import reference
from reverbsynth.effects import kinds
from reverbsynth.settings import Settings, presets

ROOT = Path(reference.__file__).parents[1]


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
    labels = '`"pitch"` or `"effect"` or `"instrument"` or `"velocity"`'
    assert rows(page)["gan.labels"][1] == f"list of {labels}"


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
    assert ".. automodule:: reverbsynth.data.build\n" in reference.api_page("Data")
    assert ".. automodule:: reverbsynth.effects\n" in reference.api_page("Sound")


PAGE = """
.. automodule:: reverbsynth.errors
   :members:
.. automodule:: reverbsynth.data.sources.table
   :members:
.. automodule:: reverbsynth.data.build
   :members:
.. automodule:: reverbsynth.training.run
   :members:
.. py:currentmodule:: reverbsynth.training.train
.. py:module:: reverbsynth.training.train

"""
NAMES = ("build_data", "reverbsynth.build_data", "Run.open", "nothing_of_that_name")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory) -> str:
    """A page of four modules, with names in backticks below, as Sphinx renders it."""
    folder = tmp_path_factory.mktemp("sphinx")
    config = "extensions = ['reverbsynth.book.reference']\ndefault_role = 'py:obj'\n"
    (folder / "conf.py").write_text(f"{config}nitpicky = True\nautodoc_typehints = 'none'\n")
    (folder / "index.rst").write_text(PAGE + "".join(f"`{name}`\n\n" for name in NAMES))
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", folder, folder / "out"]
    subprocess.run(command, check=True)
    return (folder / "out" / "index.html").read_text()


def test_public_names_are_the_documented_ones(rendered):
    documented = set(re.findall(r'id="reverbsynth\.data\.sources\.table\.(\w+)"', rendered))
    assert {"COLUMNS", "matched", "read_table"} <= documented
    assert not any(name.startswith("_") for name in documented)


HOMES = ("data.build.build_data", "data.build.build_data", "training.run.Run.open", None)


@pytest.mark.parametrize(("name", "home"), zip(NAMES, HOMES, strict=True))
def test_names_in_backticks_become_links(rendered, name, home):
    *_, before = re.findall(
        rf'<p[^>]*>(.*?)<code [^>]*py-obj[^>]*><span class="pre">{name}<', rendered
    )
    assert before == "" if home is None else f'href="#reverbsynth.{home}"' in before
