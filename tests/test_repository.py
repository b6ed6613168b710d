"""The repository itself: pins, notebooks, imports, style."""

import ast
import json
import re
import shutil
import subprocess
import tarfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from reverbsynth.book.reference import PARTS
from reverbsynth.provenance import REPOSITORY

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BRANCH = "notebooks"  # the repository's branch that holds the published notebooks
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

BASE = {"errors", "provenance", "progress", "seeds", "files"}
ROOMS = {
    "settings": set(),
    "audio": {"settings"},
    "effects": {"settings", "audio"},
    "data": {"settings", "audio", "effects"},
    "spectra": {"settings", "audio"},
    "gan": {"settings", "audio", "spectra"},
    "training": {"settings", "audio", "data", "spectra", "gan"},
    "instrument": {"settings", "audio", "spectra", "gan", "training"},
    "evaluation": {"settings", "audio", "data", "spectra", "gan", "training", "instrument"},
}
ROOMS["book"] = {*ROOMS, "effects"}
ROOMS["cli"] = {*ROOMS}
"""The packages that each package may import from, beside itself and the modules of `BASE`."""


def pins() -> dict[str, set[str]]:
    """Versions in the lock file by package; several where Python's version decides."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            found.setdefault(requirement.name.lower(), set()).add(pin.version)
    return found


def wanted() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    lines = [line for lines in (PROJECT["dependencies"], *extras) for line in lines]
    return [Requirement(line) for line in lines if not line.startswith("reverbsynth[")]


class TestVersions:
    def test_every_dependency_is_pinned_within_its_range(self):
        locked = pins()
        for requirement in wanted():
            versions = locked.get(requirement.name.lower())
            assert versions, f"{requirement.name} is not in requirements.lock"
            for version in versions:
                assert requirement.specifier.contains(version), (
                    f"{requirement}: {version} is locked"
                )

    def test_ranges_are_loose_and_stated_once(self):
        names = Counter(requirement.name.lower() for requirement in wanted())
        assert [name for name, count in names.items() if count > 1] == []
        exact = [r for r in wanted() if any(s.operator in ("==", "===") for s in r.specifier)]
        assert exact == []

    def test_jupyter_book_is_the_one_that_builds_offline(self):
        locked = pins()
        assert locked["jupyter-book"] == {"1.0.4.post1"}
        assert locked["sphinx-book-theme"] == {"1.1.4"}
        assert locked["pydata-sphinx-theme"] == {"0.15.4"}

    def test_conda_installs_the_same_package(self):
        environment = yaml.safe_load((ROOT / "environment.yml").read_text())
        *conda, pip = environment["dependencies"]
        assert pip == {"pip": ["-r requirements.lock", "-e ."]}
        python = next(line for line in conda if line.startswith("python"))
        assert SpecifierSet(python.removeprefix("python")) == SpecifierSet(
            PROJECT["requires-python"]
        )

    def test_make_accepts_the_same_pythons(self):
        makefile = (ROOT / "Makefile").read_text()
        low, high = re.search(
            r"\((\d+, \d+)\) <= sys.version_info < \((\d+, \d+)\)", makefile
        ).groups()
        low, high = low.replace(", ", "."), high.replace(", ", ".")
        assert SpecifierSet(f">={low},<{high}") == SpecifierSet(PROJECT["requires-python"])

    def test_citation_names_this_version(self):
        citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
        others = (
            json.loads((ROOT / name).read_text()) for name in ("codemeta.json", ".zenodo.json")
        )
        for metadata in (citation, *others):
            assert metadata["version"] == PROJECT["version"]
        assert citation["license"] == PROJECT["license"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_is_valid_and_holds_no_outputs(self, path):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                assert cell.outputs == []
                assert cell.execution_count is None

    def test_has_one_flat_cell_of_parameters(self, path):
        cells = nbformat.read(path, as_version=4).cells
        (parameters,) = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
        values = {}
        for node in ast.parse(parameters.source).body:
            assert isinstance(node, ast.Assign)
            values[node.targets[0].id] = ast.literal_eval(node.value)
        assert values["preset"] == ""
        assert values["run"] == ""
        assert values["overrides"] == {}

    def test_only_imports_calls_and_explains(self, path):
        logic = (ast.FunctionDef, ast.ClassDef, ast.While, ast.Try, ast.If, ast.Lambda)
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                assert not re.search(r"^\s*[!%]", cell.source, flags=re.M), cell.source
                found = [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, logic)]
                assert found == [], cell.source


def test_there_are_notebooks():
    assert [path.stem[:2] for path in NOTEBOOKS] == [
        f"{n:02d}" for n in range(1, len(NOTEBOOKS) + 1)
    ]
    assert len(NOTEBOOKS) >= 7


def test_names_of_figures_and_players_are_unique():
    names = Counter()
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "code":
                continue
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    place = {"show": 3, "table": 3, "Players": 0}.get(node.func.id)
                    if place is not None:
                        names[ast.literal_eval(node.args[place])] += 1
    assert len(names) > 10
    assert [name for name, count in names.items() if count > 1] == []


def test_the_contents_list_every_page():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [contents["root"]]
    listed += [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    prose = [path.stem for path in (ROOT / "book").glob("*.md")]
    parts = (title.lower().replace(" ", "-") for title in PARTS)
    made = ["changelog", "reference/settings", *(f"reference/{part}" for part in parts)]
    measured = (ROOT / "book" / "results" / "pitch").is_dir()  # what the last chapter is about
    shown = [path.stem for path in NOTEBOOKS if measured or path.stem != "12_pitch"]
    notebooks = [f"notebooks/{stem}" for stem in shown]
    assert sorted(listed) == sorted(prose + made + notebooks)


def test_the_picture_of_the_packages_has_them_all():
    picture = (ROOT / "book" / "_static" / "packages.svg").read_text()
    assert set(re.findall(r'font-weight="bold">(\w+)<', picture)) == set(ROOMS)


def test_imports_go_one_way():
    package = ROOT / "reverbsynth"
    found = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert found - {"__init__", "__pycache__"} == {*BASE, *ROOMS}
    wrong = []
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).with_suffix("").parts[0]
        allowed = BASE if room in BASE else {*BASE, room, *ROOMS.get(room, ())}
        for name in imported(path):
            other = name.split(".")[1]
            if room != "__init__" and other not in allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_the_package_stays_small():
    package = ROOT / "reverbsynth"
    assert len(BASE - {path.name for path in package.iterdir() if path.is_dir()}) <= 5
    lines = {path: path.read_text().count("\n") for path in package.rglob("*.py")}
    assert {path: count for path, count in lines.items() if count > 450} == {}
    assert sum(lines.values()) <= 20_000


def imported(path: Path) -> Iterator[str]:
    """Our own modules that a file imports, by their full names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "reverbsynth":
                yield from (f"reverbsynth.{alias.name}" for alias in node.names)
            elif node.module.startswith("reverbsynth."):
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("reverbsynth."))


def test_no_leftovers():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|breakpoint\(\)")
    folders = ("reverbsynth", "tests", "notebooks", "book", ".github", ".ci")
    kinds = {".py", ".ipynb", ".md", ".yml", ".yaml", ".css", ".js", ".scd"}
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    texts = [path for path in paths if path.suffix in kinds and path != Path(__file__).resolve()]
    assert len(texts) > 50
    assert [path for path in texts if marks.search(path.read_text(encoding="utf-8"))] == []


def test_a_pull_request_runs_lint_and_the_two_commands():
    assert "bash .ci/run" in _commands("pull-request", "check")
    *_, last = (ROOT / ".ci" / "run").read_text().splitlines()
    assert re.fullmatch(r"make( --[\w=-]+)* lint book test PRESET=tiny", last)
    assert any(step.startswith("make book") for step in _commands("publish", "build"))


def test_workflows_are_the_ones_of_the_page_on_them():
    page = (ROOT / "book" / "continuous.md").read_text()
    listed = re.findall(r"^\| `([\w-]+)` \|", page, flags=re.M)
    assert sorted(listed) == [path.stem for path in _workflows()]


def test_a_release_is_archived_with_checksums(tmp_path):
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    for name in ("_build/html/_sources/notebooks/01.ipynb", "_build/html/index.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    results = tmp_path / "book" / "results" / "2026"
    results.mkdir(parents=True)
    (results / "manifest.json").write_text("{}")
    (results / "instrument.safetensors").write_text("weights")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    for command in (["init", "-q"], ["add", ".ci"], ["commit", "-qm", "a"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run(["bash", ".ci/archives", "v1", "dist"], cwd=tmp_path, check=True)
    made = {path.name for path in (tmp_path / "dist").iterdir()}
    parts = ("book.tar.gz", "notebooks.tar.gz", "source.tar.gz", "instrument.safetensors")
    assert made == {"SHA256SUMS", *(f"reverbsynth-v1-{part}" for part in parts)}
    subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "dist", check=True
    )
    with tarfile.open(tmp_path / "dist" / "reverbsynth-v1-book.tar.gz") as book:
        assert "reverbsynth-v1-book/index.html" in book.getnames()


def test_the_repository_has_one_address():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]
    assert config["html_theme_options"]["repository_url"] == REPOSITORY
    assert config["html_theme_options"]["repository_branch"] == BRANCH
    assert PROJECT["urls"]["Repository"] == REPOSITORY
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["repository-code"] == REPOSITORY
    for path in [*(ROOT / "book").glob("*.md"), ROOT / "README.md"]:
        found = re.findall(r"https://github\.com/reverbsynth/[\w-]+", path.read_text())
        assert set(found) <= {REPOSITORY}, path


def test_notebooks_name_no_machine():
    for path in NOTEBOOKS:
        metadata = json.loads(path.read_text())["metadata"]
        assert metadata["kernelspec"]["name"] == "python3"
        assert set(metadata) == {"kernelspec", "language_info"}


def _workflows() -> list[Path]:
    return sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def _commands(workflow: str, job: str) -> list[str]:
    (path,) = [path for path in _workflows() if path.stem == workflow]
    return [step.get("run", "") for step in yaml.safe_load(path.read_text())["jobs"][job]["steps"]]
