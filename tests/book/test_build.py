"""From notebooks to pages: a small book built for real, and what happens when one cannot be."""

import html
import json
import re
import shutil
import subprocess
import threading
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

import reverbsynth.book.build as build_module
from reverbsynth.book.build import (
    KEYBOARD,
    assemble,
    build_book,
    execute,
    landing_run,
    put_keyboard,
    render,
)
from reverbsynth.book.captions import Origin
from reverbsynth.book.page_check import WEIGHT_LIMIT, check_pages, page_faults
from reverbsynth.book.workspace import SHOWN, bundles, shipped, workspace
from reverbsynth.data.build import build_data
from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.settings import Settings
from tests import chromium

ROOT = Path(__file__).parents[2]

PAGE = """\
import numpy as np
from reverbsynth.book.captions import show
from reverbsynth.book.chapters import losses
from reverbsynth.book.players import Sound
from reverbsynth.settings import Settings
"""


def notebook(*cells: tuple[str, str, list[str]]) -> nbformat.NotebookNode:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    for kind, source, tags in cells:
        new = nbformat.v4.new_markdown_cell if kind == "text" else nbformat.v4.new_code_cell
        made.cells.append(new(source, metadata={"tags": tags} if tags else {}))
    return made


def checkout(directory: Path, *cells: tuple[str, str, list[str]]) -> Path:
    """A book of one prose page and one notebook, with the configuration of the real one."""
    (directory / "notebooks").mkdir(parents=True)
    for folder in ("_static", "_templates", "beside"):
        shutil.copytree(ROOT / "book" / folder, directory / "book" / folder)
    shutil.copy(ROOT / "book" / "references.bib", directory / "book")
    shutil.copy(ROOT / "_config.yml", directory)
    (directory / "book" / "index.md").write_text(
        "# Small\n\nMathematics: $x^2$, {cite:p}`engel2019gansynth`, [](notebooks/01_small.ipynb)."
        "\n\n```{bibliography}\n```\n"
    )
    (directory / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nchapters:\n  - file: notebooks/01_small\n"
    )
    nbformat.write(notebook(*cells), directory / "notebooks" / "01_small.ipynb")
    return directory


def build(root: Path, output: Path) -> Path:
    """What `build_book` does after data and run are there."""
    source = assemble(root, output / "book-source")
    found = sorted((root / "notebooks").glob("*.ipynb"))
    parameters = {"preset": "tiny", "run": ""}
    execute([], found, list, source / "notebooks", parameters, 1, Console(quiet=True))
    return render(source, output, Console(quiet=True))


def test_nothing_more_is_begun_once_what_notebooks_share_cannot_be_made(tmp_path, monkeypatch):
    begun, failed = [], threading.Event()

    def papermill(path, *_):
        begun.append(path)
        failed.wait(60)

    def prepare():
        threading.Timer(0.5, failed.set).start()
        raise ReverbSynthError("cannot be made")

    for name, stand_in in (("warm_up", list), ("_papermill", papermill), ("_tidy", str)):
        monkeypatch.setattr(build_module, name, stand_in)
    monkeypatch.setattr(build_module, "publish_notebook", lambda *_: None)
    early = [Path("a.ipynb"), Path("b.ipynb"), Path("c.ipynb")]
    with pytest.raises(ReverbSynthError, match="cannot be made"):
        execute(early, early, prepare, tmp_path / "notebooks", {}, 1, Console(quiet=True))
    assert begun in ([], early[:1])


def test_the_landing_page_plays_the_best_of_the_published_runs(monkeypatch):
    monkeypatch.setattr(build_module, "kept_report", lambda run: run)
    monkeypatch.setattr(build_module, "better_throughout", lambda one, than: one > than)
    for runs, played in (([2], 2), ([2, 1], 2), ([2, 1, 3], 3)):
        assert landing_run(SimpleNamespace(published=runs, report=None)) == played


@pytest.fixture(scope="module")
def small_book(tmp_path_factory) -> Path:
    """The index page of a small book."""
    root = checkout(
        tmp_path_factory.mktemp("checkout"),
        ("text", "# A page\n\nMathematics too: $E = mc^2$.", []),
        ("code", 'preset = "laptop"  # replaced\nrun = ""', ["parameters"]),
        ("code", PAGE + "import sys\nprint('noise', file=sys.stderr)\npreset, run", []),
        (
            "code",
            "show(losses.stage_legend(2), '**Figure 1.**', Settings.preset(preset), 'f', alt='a',"
            " sounds=[Sound('a ramp', np.linspace(-0.5, 0.5, 800))])",
            ["hide-input"],
        ),
    )
    return build(root, tmp_path_factory.mktemp("built"))


class TestSmallBook:
    def test_pages_are_whole_offline(self, small_book):
        assert check_pages(small_book.parent) >= 2

    def test_players_are_files_beside_the_page(self, small_book):
        page = small_book.parent / "notebooks" / "01_small.html"
        (address,) = re.findall(r'<audio [^>]*src="([^"]+)"', page.read_text())
        assert (page.parent / address).read_bytes()[:4] == b"RIFF"
        assert 'preload="none"' in page.read_text()

    def test_the_executed_notebook_finds_its_files_too(self, small_book):
        folder = small_book.parent.parent / "book-source" / "notebooks"
        assert (folder / "media" / "f-1.wav").is_file()
        assert (folder / "media" / "f.png").is_file()

    def test_noise_on_stderr_is_left_out(self, small_book):
        assert ">noise" not in (small_book.parent / "notebooks" / "01_small.html").read_text()
        executed = small_book.parent.parent / "book-source" / "notebooks" / "01_small.ipynb"
        outputs = [o for cell in nbformat.read(executed, 4).cells for o in cell.get("outputs", [])]
        assert len(outputs) == 2
        assert all(output.get("name") != "stderr" for output in outputs)

    def test_parameters_shown_are_those_used(self, small_book):
        page = (small_book.parent / "notebooks" / "01_small.html").read_text()
        assert "Parameters of this page" in page
        assert "laptop" not in page
        text = re.sub(r"<[^>]+>", "", page)
        assert 'preset = "tiny"' in text.replace("&quot;", '"').replace("&#34;", '"')

    def test_the_downloaded_notebook_is_the_repository_s_and_installs_the_library(self, small_book):
        path = small_book.parent / "_sources" / "notebooks" / "01_small.ipynb"
        cells = nbformat.read(path, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert "%pip install" in code[0].source
        assert code[1].source == 'preset = "laptop"  # replaced\nrun = ""'
        assert all(cell.outputs == [] for cell in code)

    def test_colab_opens_the_published_notebook(self, small_book):
        page = (small_book.parent / "notebooks" / "01_small.html").read_text()
        assert (
            'href="https://colab.research.google.com/github/reverbsynth/reverbsynth/blob/'
            'notebooks/notebooks/01_small.ipynb"' in page
        )

    def test_no_page_names_a_host_that_it_loads_from(self, small_book):
        for path in small_book.parent.rglob("*.html"):
            if "_static" not in path.parts:
                assert not re.search(r"unpkg|jsdelivr|googleapis|cdnjs", path.read_text())

    def test_the_search_has_the_words_of_each_section(self, small_book):
        text = (small_book.parent / "_static" / "texts.js").read_text()
        texts = json.loads(text.removeprefix("window.rsTexts = ").removesuffix(";\n"))
        assert "Mathematics too" in texts["notebooks/01_small.html"]
        assert 'id="a-page"' in texts["notebooks/01_small.html"]
        assert "<audio" not in texts["notebooks/01_small.html"]
        assert "_static/texts.js" in (small_book.parent / "search.html").read_text()

    def test_every_page_ends_with_its_version_and_has_a_title_of_its_own(self, small_book):
        titles = []
        for name in ("index.html", "notebooks/01_small.html"):
            page = (small_book.parent / name).read_text()
            assert f"Version {version('reverbsynth')}" in page
            titles.append(re.search("<title>(.*?)</title>", page)[1])
        assert titles[1] == "A page — ReverbSynth"
        assert titles[0].count("ReverbSynth") == 1

    def test_mathjax_lies_beside_the_pages_with_its_licence(self, small_book):
        folder = small_book.parent / "_static" / "vendor" / "mathjax"
        assert sorted(path.name for path in folder.iterdir()) == ["LICENSE", "tex-svg.js"]

    @pytest.mark.browser
    @pytest.mark.parametrize("name", ["index.html", "notebooks/01_small.html"])
    def test_a_browser_without_network_sets_the_mathematics(self, small_book, name, tmp_path):
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        options += ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000"]
        options += [f"--user-data-dir={tmp_path}", "--dump-dom"]
        done = subprocess.run(
            [chromium.find(), *options, (small_book.parent / name).as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "<mjx-container" in done.stdout
        assert "<svg" in done.stdout


def test_every_page_has_the_version_and_a_smoke_run_s_an_announcement(tmp_path):
    root = checkout(tmp_path / "checkout", ("text", "# A page", []))
    source = assemble(root, tmp_path / "source", "Only smoke.")
    made = yaml.safe_load((source / "_config.yml").read_text())
    made = made["sphinx"]["config"]["html_theme_options"]
    assert made["announcement"] == "Only smoke."
    assert f"Version {version('reverbsynth')}" in made["extra_footer"]
    assert ".pdf" in made["extra_footer"]


class TestFailures:
    def test_a_failing_cell_is_named_in_one_line(self, tmp_path):
        root = checkout(
            tmp_path / "checkout",
            ("text", "# A page", []),
            ("code", "preset = run = ''", ["parameters"]),
            ("code", "raise ValueError('no\\nbass')", []),
        )
        with pytest.raises(ReverbSynthError) as caught:
            build(root, tmp_path / "built")
        message = str(caught.value)
        assert "01_small.ipynb: cell" in message
        assert "ValueError: no bass" in message
        assert "\n" not in message

    def test_a_warning_is_an_error_and_the_old_pages_stay(self, small_book, tmp_path):
        output = tmp_path / "built"
        shutil.copytree(small_book.parent.parent, output, symlinks=True)
        before = (output / "html" / "index.html").read_text()
        source = output / "book-source"
        (source / "index.md").write_text("# Small\n\n[](nowhere.md) {cite:p}`nobody`\n")
        with pytest.raises(ReverbSynthError, match="Jupyter Book failed or warned"):
            render(source, output, Console(quiet=True))
        assert (output / "html" / "index.html").read_text() == before
        assert "nobody" in (output / "render.log").read_text()

    def test_a_folder_takes_one_build_at_a_time(self, small_run, tmp_path, monkeypatch):
        def assemble(*_):
            with exclusive_lock(tmp_path / "built", "is being built"):
                pytest.fail("not locked")

        monkeypatch.setattr(build_module, "assemble", assemble)
        with pytest.raises(ReverbSynthError, match="built: is being built by another process"):
            build_book(run=small_run.directory, output=tmp_path / "built")

    def test_outside_a_checkout_it_says_so(self, tmp_path, monkeypatch):
        monkeypatch.setattr(build_module, "ROOT", tmp_path)
        with pytest.raises(ReverbSynthError, match="built from a checkout"):
            build_book("tiny", output=tmp_path / "built")

    def test_a_run_that_is_none_is_refused_before_anything_is_made(self, tmp_path):
        with pytest.raises(ReverbSynthError, match="not a run"):
            build_book(run=tmp_path / "none", output=tmp_path / "built")
        with pytest.raises(ReverbSynthError, match="has its settings, expected no others with it"):
            build_book("tiny", run=tmp_path / "none", output=tmp_path / "built")
        assert not (tmp_path / "built" / "book-source").exists()


class TestPages:
    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            ('<script src="https://a.org/x.js"></script>', "from another host"),
            ('<link rel="stylesheet" href="//a.org/x.css">', "from another host"),
            ('<img src="x.png" alt="x">', "x.png, which does not exist"),
            ('<audio src="x.wav" aria-label="x"></audio>', "x.wav, which does not exist"),
            ('<audio src="index.html"></audio>', "player index.html has no aria-label"),
            ('<a href="other.html">x</a>', "other.html, which does not exist"),
            ('<a href="#nowhere">x</a>', "#nowhere, which does not exist"),
            ('<img src="index.html">', "no alternative text"),
        ],
    )
    def test_faults_are_found(self, tmp_path, body, fault):
        (tmp_path / "index.html").write_text(f"<p id='here'>x</p>{body}")
        with pytest.raises(ReverbSynthError, match=re.escape(fault)):
            check_pages(tmp_path)

    def test_every_fault_names_page_and_element(self, tmp_path):
        (tmp_path / "index.html").write_text('<img src="a.png" alt="a"><a href="#b">b</a>')
        assert page_faults(tmp_path) == [
            "index.html: refers to a.png, which does not exist",
            "index.html: refers to #b, which does not exist",
        ]

    def test_a_page_may_not_be_too_heavy_before_a_player_is_pressed(self, tmp_path):
        (tmp_path / "index.html").write_text(
            '<audio src="a.wav" aria-label="a" preload="none"></audio>'
            '<img src="b.png" alt="b"><img src="b.png" alt="b">'
        )
        (tmp_path / "a.wav").write_bytes(bytes(WEIGHT_LIMIT))
        (tmp_path / "b.png").write_bytes(bytes(WEIGHT_LIMIT // 2))
        assert page_faults(tmp_path) == []
        (tmp_path / "b.png").write_bytes(bytes(WEIGHT_LIMIT))
        (fault,) = page_faults(tmp_path)
        assert fault.startswith("index.html: loads 5.0 MB, expected at most 5.0 MB")
        assert fault.endswith("b.png")

    def test_icons_come_once(self, small_book):
        html = small_book.parent
        assert "fontawesome" in (html / "index.html").read_text()
        assert not re.search(r"<script[^>]*fontawesome", (html / "index.html").read_text())
        assert list(html.glob("_static/vendor/fontawesome/*/webfonts/*.woff2"))
        assert not list(html.glob("_static/vendor/fontawesome/*/js"))

    def test_links_elsewhere_and_within_are_fine(self, tmp_path):
        (tmp_path / "index.html").write_text(
            '<p id="here">x</p><a href="#here">x</a><a href="https://a.org">x</a>'
            '<p id="stra&szlig;e">x</p><a href="#stra%C3%9Fe">x</a>'
            '<p id="a%20b">x</p><a href="#a%20b">x</a>'
            '<a href="sub/page.html#there">x</a><img src="data:image/png;base64,AA==" alt="x">'
        )
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "page.html").write_text(
            '<p id="there">x</p><a href="../index.html">x</a>'
        )
        assert check_pages(tmp_path) == 2


def test_the_landing_page_gets_a_keyboard_that_a_reader_can_download(small_run, tmp_path):
    place = workspace(run=small_run.directory)
    put_keyboard(place, tmp_path)
    part = (tmp_path / KEYBOARD).read_text()
    found = re.findall(r'(?:src|href)="([^"]+)"', part)
    assert "notebooks/media/keyboard/keyboard.js" in found
    assert all((tmp_path / address).is_file() for address in found)
    assert html.escape(Origin.of(place.run).line) in part
    folder = tmp_path / "notebooks" / "media" / "keyboard"
    manifest = json.loads((folder / "manifest.json").read_text())
    # Room is left for the paper's own generator: 7.2 million halves, in base64.
    rest = manifest["bytes"] - (folder / manifest["files"]["model"]).stat().st_size
    assert rest + 2 * 7_200_000 * 4 / 3 < 25_000_000


def test_the_landing_page_takes_it_in():
    assert f":file: {KEYBOARD}" in (ROOT / "book" / "index.md").read_text()


class TestWorkspace:
    @pytest.fixture(autouse=True)
    def elsewhere(self, tmp_path, monkeypatch):
        monkeypatch.setenv("REVERBSYNTH_CACHE", str(tmp_path / "cache"))

    def test_other_settings_have_another_folder(self):
        first, second = workspace("tiny"), workspace("tiny", overrides={"seed": 1})
        assert first.run_directory != second.run_directory
        assert first.data_directory != second.data_directory
        thin = workspace("tiny", overrides={"gan.filters_max": 2})
        assert thin.run_directory != first.run_directory
        assert thin.data_directory == first.data_directory

    def test_a_settings_file_serves_as_a_preset(self, tmp_path):
        path = tmp_path / "mine.yaml"
        path.write_text("base: tiny\nseed: 5\n")
        assert workspace(path).settings.seed == 5
        assert workspace(str(path)).settings.hash == Settings.preset("tiny", seed=5).hash

    def test_a_misspelt_preset_is_refused(self):
        with pytest.raises(ReverbSynthError, match="did you mean tiny"):
            workspace("tny")

    def test_a_given_run_brings_its_own_settings(self, small_run):
        place = workspace("tiny", run=small_run.directory)
        assert place.settings.hash == small_run.settings.hash
        assert place.run.directory == small_run.directory.resolve()
        assert place.data_settings.hash == small_run.settings.hash

    def test_a_run_whose_sounds_are_not_here_shows_the_embedded_ones(self, small_run, tmp_path):
        copied = tmp_path / "run"
        shutil.copytree(small_run.directory, copied)
        settings = small_run.settings.replace(**{"data.source": {"kind": "nsynth"}})
        (copied / "settings.yaml").write_text(settings.to_yaml())
        manifest = json.loads((copied / "manifest.json").read_text())
        manifest |= {"settings_hash": settings.hash, "data_directory": "gone"}
        (copied / "manifest.json").write_text(json.dumps(manifest))
        place = workspace("tiny", run=copied)
        assert place.settings.data.source.kind == "nsynth"
        assert place.data_settings.data.source.kind == "soundfont"

    def test_of_several_results_the_book_s_or_the_last_by_name_is_shipped(self, tmp_path):
        assert shipped(tmp_path) is None
        for name in ("b", "a", "c"):
            (tmp_path / name).mkdir()
        for name in ("a", "b"):
            (tmp_path / name / "manifest.json").write_text("{}")
        assert shipped(tmp_path) == tmp_path / "b"
        assert list(bundles(tmp_path)) == ["a", "b"]
        for name in (SHOWN, "studio"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "manifest.json").write_text("{}")
        assert shipped(tmp_path) == tmp_path / SHOWN

    def test_published_runs_stand_beside_each_other(self, small_run, tmp_path, monkeypatch):
        results = tmp_path / "results"
        for name in ("a", "b"):
            shutil.copytree(small_run.directory, results / name)
        monkeypatch.setattr("reverbsynth.book.workspace.RESULTS", results)
        monkeypatch.setattr(bundles, "__defaults__", (results,))
        shown = workspace(run=results / "b").published
        assert [run.directory.name for run in shown] == ["b", "a"]
        assert len(workspace(run=small_run.directory).published) == 1

    def test_where_nothing_is_named_the_shipped_run_is_shown(
        self, small_run, tmp_path, monkeypatch
    ):
        results = tmp_path / "results"
        monkeypatch.setattr(shipped, "__defaults__", (results,))
        assert workspace().given_run is None
        assert workspace().settings.name == "tiny"
        shutil.copytree(small_run.directory, results / "night")
        place = workspace()
        assert place.run.directory == results / "night"
        assert place.instrument.stage == small_run.stages[-1]
        assert workspace("tiny").given_run is None
        assert workspace(overrides={"seed": 1}).given_run is None

    def test_twins_come_with_their_notes(self, small_settings, small_data, tmp_path, monkeypatch):
        path = tmp_path / "small.yaml"
        path.write_text(small_settings.to_yaml())
        place = workspace(path)
        shutil.copytree(small_data.directory, place.data_directory)
        pairs = place.twins(2)
        assert len(pairs) == 2
        for pair in pairs:
            assert set(pair) == set(
                build_data(small_settings, small_data.directory).vocabulary("effect")
            )
            assert len({note.origin for note in pair.values()}) == 1


def test_the_command_line_reports_a_wrong_run_in_one_line(tmp_path, monkeypatch, capsys):
    from reverbsynth import cli

    monkeypatch.setattr("sys.argv", ["reverbsynth", "book", "--run", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert CliRunner().invoke(cli.app, ["book", "--help"]).exit_code == 0
