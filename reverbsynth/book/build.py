"""Run the notebooks, then render them with the prose pages.

``<output>/book-source`` is the assembled book; ``<output>/html`` is what a reader opens, and the
previous one stays until the new is complete.
"""

import html
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import yaml
from rich.console import Console

from reverbsynth.book import bundle
from reverbsynth.book.captions import FOLDED, Origin, commit_link
from reverbsynth.book.page_check import check_pages, lighten
from reverbsynth.book.players import MEDIA
from reverbsynth.book.publish import publish_notebook, write_search_texts
from reverbsynth.book.reference import write_reference
from reverbsynth.book.warm_up import warm_up
from reverbsynth.book.workspace import Workspace, workspace
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation.evaluate import kept_report
from reverbsynth.evaluation.reproduction import better_throughout
from reverbsynth.files.atomic import replacing, write_text
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.instrument.export import web_keyboard
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.provenance import REPOSITORY, commit
from reverbsynth.settings import Settings, presets
from reverbsynth.training.run import Run

ROOT = Path(__file__).resolve().parents[2]  #: a checkout: an installed package has no notebooks
KEYBOARD = "keyboard.html"  #: the keyboard's part of the landing page, which `index.md` takes in
_CONFIGURATION = ("_config.yml", "_toc.yml")
_LONGEST = ("04_training", "02_if_mel", "06_stages")  # begun first, lest one be alone at the end
_OF_NO_RUN = ("01_dataset", "02_if_mel", "03_networks")  # run while one is trained
_SMOKE = "These pages show a smoke run of a few minutes: everything works, nothing is a result."


def build_book(
    settings: Settings | str | Path = "",
    run: Path | str | None = None,
    output: Path | str = "_build",
    jobs: int = 2,  # each keeps one core busy, importing for the most part
) -> Path:
    """Execute every notebook, ``jobs`` at a time, render the book, and return its index page.

    The settings are given as such, by a preset's name, or by a file. Where a finished run is given
    to show, or neither, which shows the run that comes with the book, only chapter 4 trains, for
    about a minute. ReverbSynthError is raised outside a checkout, for both, for a cell that fails,
    any warning of Jupyter Book, a page that would need the network, and a full disk.
    """
    if settings and run:
        found = f"{run}: a finished run has its settings"
        raise ReverbSynthError(f"{found}, expected no others with it")
    console, started, output = Console(), time.monotonic(), Path(output).resolve()
    for path in (ROOT / name for name in ("notebooks", "book", *_CONFIGURATION)):
        if not path.exists():
            raise ReverbSynthError(f"{path}: not found; the book is built from a checkout")
    try:
        parameters = _parameters(settings, run, output)
        shown = workspace(**parameters)
        _ = shown.data
        if shown.given_run and shown.run.bundled:
            bundle.check(shown.run)
        # Notebooks that outlive a killed process write here, too.
        with exclusive_lock(output, "is being built", wait=True, inherited=True):
            index = _build(shown, parameters, output, jobs, console)
    except OSError as error:
        path = error.filename or output
        raise ReverbSynthError(f"{path}: cannot be written ({error.strerror or error})") from None
    console.print(f"book built in {time.monotonic() - started:.0f} s:")
    console.print(str(index), soft_wrap=True, highlight=False)
    return index


def _build(
    shown: Workspace, parameters: dict[str, Any], output: Path, jobs: int, console: Console
) -> Path:
    source = assemble(ROOT, output / "book-source", _SMOKE if shown.smoke else "")

    def prepare() -> None:
        """Make what all other notebooks share, in the process that Ctrl-C reaches."""
        _ = shown.report, shown.trials
        put_keyboard(shown, source)

    paths = (ROOT / "notebooks").glob("*.ipynb")
    notebooks = sorted(paths, key=lambda path: (*_LONGEST, path.stem).index(path.stem))
    early = [path for path in notebooks if path.stem in _OF_NO_RUN and not shown.given_run]
    late = [path for path in notebooks if path not in early]
    execute(early, late, prepare, source / "notebooks", parameters, jobs, console)
    return render(source, output, console)


def assemble(root: Path, source: Path, announcement: str = "") -> Path:
    """Begin the assembled book anew, with the announcement and the version on every page."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(root / "book", source, ignore=shutil.ignore_patterns("results"))
    write_reference(source)
    for name in (*_CONFIGURATION, "CHANGELOG.md"):
        if (root / name).is_file():
            shutil.copyfile(root / name, source / name.lower())
    configuration = yaml.safe_load((source / _CONFIGURATION[0]).read_text(encoding="utf-8"))
    number = version("reverbsynth")
    pdf = f"{REPOSITORY}/releases/download/v{number}/reverbsynth-v{number}.pdf"
    footer = f"<p>Version {number}, commit {commit_link(commit())} · "
    footer += f'<a href="{pdf}">PDF of the chapters</a></p>'
    options = configuration["sphinx"]["config"]["html_theme_options"]
    options |= {"announcement": announcement, "extra_footer": footer}
    write_text(source / _CONFIGURATION[0], yaml.safe_dump(configuration, sort_keys=False))
    return source


def landing_run(workspace: Workspace) -> Run:
    """The run that the landing page plays: the book's, or another that comes with the checkout and
    is at least as good in every headline measure.
    """
    shown, *others = workspace.published
    expected = kept_report(shown) if others else workspace.report
    better = [run for run in others if better_throughout(kept_report(run), expected)]
    return [shown, *better][-1]


def put_keyboard(workspace: Workspace, source: Path) -> None:
    """Write the landing page's keyboard; where it is chapter 7's too, its files are loaded once."""
    run = landing_run(workspace)
    own = run.directory == workspace.run.directory
    folder = f"notebooks/{MEDIA}/keyboard" + ("" if own else f"-{run.directory.name}")
    keyboard = web_keyboard(Instrument.from_run(run), source / folder, folder)
    folded = FOLDED.format(html.escape(Origin.of(run).line))
    keyboard += f"\n<div>Where this network comes from {folded}</div>\n"
    write_text(source / KEYBOARD, keyboard)


def execute(
    early: Sequence[Path],
    late: Sequence[Path],
    prepare: Callable[[], object],
    target: Path,
    parameters: dict[str, Any],
    jobs: int,
    console: Console,
) -> None:
    """Run notebooks with papermill and tidy them for the page; the first failing cell ends it.

    The late ones begin once ``prepare`` has returned.
    """
    book = target.parent
    (target / MEDIA).mkdir(parents=True, exist_ok=True)
    write_text(book / "parameters.yaml", yaml.safe_dump(parameters, sort_keys=False))
    # What lies in here is copied beside the pages as it is (html_extra_path).
    beside = book / "beside" / target.name
    beside.mkdir(parents=True, exist_ok=True)
    (beside / MEDIA).symlink_to(os.path.relpath(target / MEDIA, beside))
    console.print(f"{len(early) + len(late)} notebooks, {jobs} at a time")

    def execute_one(notebook: Path) -> None:
        started = time.monotonic()
        _papermill(notebook, target / notebook.name, book / "parameters.yaml")
        _tidy(target / notebook.name)
        publish_notebook(notebook, book / "downloads" / target.name / notebook.name)
        console.print(f"  {notebook.stem:<16} {time.monotonic() - started:6.1f} s", highlight=False)

    warm_up()
    with ThreadPoolExecutor(jobs) as pool:
        begun = pool.map(execute_one, early)
        try:
            prepare()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        list(begun)
        list(pool.map(execute_one, late))  # a failure cancels those that have not begun


def render(source: Path, output: Path, console: Console) -> Path:
    """Render the assembled book to ``<output>/html``; any warning of Jupyter Book is an error."""
    work, log = output / "render", output / "render.log"
    shutil.rmtree(work, ignore_errors=True)
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    command += [str(source), "--path-output", str(work), "-n", "-W", "--keep-going", "-q"]
    console.print("rendering the pages")
    done = subprocess.run(command, capture_output=True, text=True, check=False, close_fds=False)
    built = work / "_build" / "html"
    if done.returncode != 0 or not (built / "index.html").is_file():
        write_text(log, said := done.stdout + done.stderr)
        console.print("\n".join(said.strip().splitlines()[-30:]), markup=False, highlight=False)
        raise ReverbSynthError(f"{source}: Jupyter Book failed or warned; all of it is in {log}")
    # What the theme's download button gives: the executed notebooks hold this machine's paths.
    if (source / "downloads").is_dir():
        shutil.copytree(source / "downloads", built / "_sources", dirs_exist_ok=True)
    lighten(built)
    write_search_texts(built)
    pages = check_pages(built, console)
    published = output / "html"
    with replacing(published):
        os.replace(built, published)
    console.print(f"{pages} pages, whole with the network unplugged")
    return published / "index.html"


def _parameters(settings: Settings | str | Path, run: Path | str | None, output: Path) -> dict:
    """The parameters of every notebook; settings that no preset holds travel as a file."""
    if isinstance(settings, Settings):
        own, settings = settings, settings.name
        if settings not in presets() or Settings.preset(settings) != own:
            settings = output / "settings" / f"{own.hash}.yaml"
            write_text(settings, own.to_yaml())
    if str(settings).endswith((".yaml", ".yml")):
        settings = Path(settings).resolve()
    return {"preset": str(settings), "run": str(Path(run).resolve()) if run else ""}


def _papermill(notebook: Path, target: Path, parameters: Path) -> None:
    """Execute one notebook, beside its media, in a process of its own."""
    command = [sys.executable, "-m", "papermill", str(notebook), str(target)]
    command += ["-f", str(parameters), "--cwd", str(target.parent), "--no-progress-bar"]
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=quiet, close_fds=False
    )
    if done.returncode != 0:
        reason = "".join(done.stderr.strip().splitlines()[-1:])
        cells = nbformat.read(target, as_version=4).cells if target.is_file() else []
        for number, cell in enumerate(cells, 1):
            for error in cell.get("outputs", []):
                if error.output_type == "error":  # papermill stops at the first
                    reason = f"cell {number}: {error.ename}: {' '.join(error.evalue.split())}"
        raise ReverbSynthError(f"{notebook}: {reason}; executed so far: {target}")


def _tidy(notebook: Path) -> None:
    """Fold away the parameters that were used, leave out those they replaced, and stderr."""
    content = nbformat.read(notebook, as_version=4)
    for cell in content.cells:
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*tags, "hide-input"]
            cell.metadata["mystnb"] = {"code_prompt_show": "Parameters of this page"}
        elif "parameters" in tags:
            cell.metadata["tags"] = [*tags, "remove-cell"]
    nbformat.write(content, notebook)
