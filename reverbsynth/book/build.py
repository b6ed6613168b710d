"""Run the notebooks, then render them with the prose pages.

``<output>/book-source`` is the assembled book: the pages of ``book/``, the executed notebooks and
the two configuration files. ``<output>/html`` is what a reader opens. The previous pages stay
until new ones are complete.
"""

import html
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import yaml
from rich.console import Console

from reverbsynth.book import bundle
from reverbsynth.book.page_check import check_pages, lighten, page_faults
from reverbsynth.book.players import MEDIA
from reverbsynth.book.publish import publish_notebook
from reverbsynth.book.reference import write_reference
from reverbsynth.book.workspace import Workspace, workspace
from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import write_text
from reverbsynth.instrument.export import web_keyboard
from reverbsynth.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: notebooks and prose are not part of an installed package."""

CHANGES = "CHANGELOG.md"
"""What changed between versions, a page of the book."""

KEYBOARD = "keyboard.html"
"""The keyboard's part of the landing page, which `index.md` takes in."""

_JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"

_AT_ONCE = 2
"""Notebooks executed at a time: each keeps one core busy, importing for the most part."""


def build_book(
    settings: Settings | str | Path = "tiny",
    run: Path | str | None = None,
    output: Path | str = "_build",
    jobs: int = _AT_ONCE,
) -> Path:
    """Execute every notebook and render the book.

    Parameters
    ----------
    settings
        Settings, a preset's name, or a settings file. Unused for training where `run` is given.
    run
        A finished run to show; nothing is trained then.
    output
        Folder for everything that is made.
    jobs
        Notebooks executed at a time.

    Returns
    -------
    Path
        The index page.

    Raises
    ------
    ReverbSynthError
        Outside a checkout, when a notebook's cell fails, when Jupyter Book warns of anything, when
        a page would need the network, or when the disk is full.
    """
    console, started = Console(), time.monotonic()
    root, output = _checkout(), Path(output).resolve()
    try:
        parameters = _parameters(settings, run, output)
        prepare(workspace(**parameters))
        source = _assemble(root, output / "book-source")
        put_keyboard(workspace(**parameters), source)
        notebooks = sorted((root / "notebooks").glob("*.ipynb"))
        execute(notebooks, source / "notebooks", parameters, jobs, console)
        index = render(source, output, console)
    except OSError as error:
        place = error.filename or output
        raise ReverbSynthError(f"{place}: cannot be written ({error.strerror or error})") from None
    console.print(f"book built in {time.monotonic() - started:.0f} s:")
    console.print(str(index), soft_wrap=True, highlight=False)
    return index


def prepare(place: Workspace) -> None:
    """Make what the notebooks share, with progress on this terminal: the data, the run, and the
    report on the instrument that is played.
    """
    _ = place.data
    for run in (place.run, place.showcase.run):
        if run.bundled:
            bundle.check(run)
    _ = place.report


def put_keyboard(place: Workspace, source: Path) -> None:
    """Write the landing page's keyboard into an assembled book.

    Its files lie where chapter 7 has them too, so that a reader downloads them once, and only when
    the keyboard is started.
    """
    folder = f"notebooks/{MEDIA}/keyboard"
    part = web_keyboard(place.instrument, source / folder, folder)
    told = html.escape(place.instrument_source)
    write_text(source / KEYBOARD, f'{part}\n<p class="rs-origin">{told}</p>\n')


def execute(
    notebooks: Sequence[Path], target: Path, parameters: dict[str, Any], jobs: int, console: Console
) -> None:
    """Run `notebooks` with papermill into `target`, `jobs` at a time, and tidy them for the page.

    Raises
    ------
    ReverbSynthError
        For the first notebook with a failing cell; the executed part of it stays in `target`.
    """
    target.mkdir(parents=True, exist_ok=True)
    given = target.parent / "parameters.yaml"
    write_text(given, yaml.safe_dump(parameters, sort_keys=False))
    media = target / MEDIA
    media.mkdir(exist_ok=True)
    # What lies in here is copied beside the pages as it is (html_extra_path).
    beside = target.parent / "beside" / target.name
    beside.mkdir(parents=True, exist_ok=True)
    (beside / MEDIA).symlink_to(os.path.relpath(media, beside))
    downloads = target.parent / "downloads" / target.name
    console.print(f"{len(notebooks)} notebooks, {jobs} at a time")

    def one(notebook: Path) -> None:
        started = time.monotonic()
        _papermill(notebook, target / notebook.name, given)
        _tidy(target / notebook.name)
        publish_notebook(notebook, downloads / notebook.name)
        console.print(f"  {notebook.stem:<16} {time.monotonic() - started:6.1f} s", highlight=False)

    with ThreadPoolExecutor(jobs) as pool:
        for future in [pool.submit(one, notebook) for notebook in notebooks]:
            try:
                future.result()
            except ReverbSynthError:
                pool.shutdown(cancel_futures=True)
                raise


def render(source: Path, output: Path, console: Console) -> Path:
    """Render the assembled book with Jupyter Book; any warning is an error.

    Returns
    -------
    Path
        ``<output>/html/index.html``.
    """
    work = output / "render"
    shutil.rmtree(work, ignore_errors=True)
    command = [sys.executable, "-c", _JUPYTER_BOOK, "build", str(source)]
    command += ["--path-output", str(work), "-n", "-W", "--keep-going", "-q"]
    console.print("rendering the pages")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    built = work / "_build" / "html"
    if done.returncode != 0 or not (built / "index.html").is_file():
        log = output / "render.log"
        write_text(log, done.stdout + done.stderr)
        console.print(_last_lines(done.stdout + done.stderr, 30), markup=False, highlight=False)
        raise ReverbSynthError(f"{source}: Jupyter Book failed or warned; all of it is in {log}")
    # What the theme's download button gives: the executed notebooks hold this machine's paths.
    if (source / "downloads").is_dir():
        shutil.copytree(source / "downloads", built / "_sources", dirs_exist_ok=True)
    lighten(built)
    for fault in page_faults(built):
        console.print(fault, markup=False, highlight=False, soft_wrap=True)
    pages = check_pages(built)
    published = output / "html"
    shutil.rmtree(published, ignore_errors=True)
    os.replace(built, published)
    console.print(f"{pages} pages, whole with the network unplugged")
    return published / "index.html"


def _checkout() -> Path:
    for name in ("notebooks", "book", "_config.yml", "_toc.yml"):
        if not (ROOT / name).exists():
            raise ReverbSynthError(
                f"{ROOT / name}: not found; the book is built from a checkout of the repository"
            )
    return ROOT


def _parameters(settings: Settings | str | Path, run: Path | str | None, output: Path) -> dict:
    """What every notebook is given; settings that no preset holds travel as a file."""
    if isinstance(settings, Settings):
        name = settings.name
        try:
            same = Settings.preset(name) == settings
        except ReverbSynthError:
            same = False
        if not same:
            name = output / "settings" / f"{settings.hash}.yaml"
            write_text(name, settings.to_yaml())
    else:
        name = settings
    return {"preset": str(name), "run": str(Path(run).resolve()) if run else ""}


def _assemble(root: Path, source: Path) -> Path:
    """An empty book-source with the prose pages, the reference and the configuration in it."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(root / "book", source, ignore=shutil.ignore_patterns("results"))
    write_reference(source)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copyfile(root / name, source / name)
    if (root / CHANGES).is_file():
        shutil.copyfile(root / CHANGES, source / CHANGES.lower())
    return source


def _papermill(notebook: Path, target: Path, parameters: Path) -> None:
    command = [sys.executable, "-m", "papermill", str(notebook), str(target)]
    command += [
        "-f",
        str(parameters),
        "--cwd",
        str(target.parent),
        "--no-progress-bar",
        "-k",
        "python3",
    ]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **quiet}
    )
    if done.returncode != 0:
        reason = _failure(target) or _last_lines(done.stderr, 1)
        raise ReverbSynthError(f"{notebook}: {reason}; executed so far: {target}")


def _failure(notebook: Path) -> str | None:
    """The error that a cell of an executed notebook ended with, in one line."""
    if not notebook.is_file():
        return None
    for number, cell in enumerate(nbformat.read(notebook, as_version=4).cells, 1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return f"cell {number}: {output.ename}: {' '.join(output.evalue.split())}"
    return None


def _tidy(notebook: Path) -> None:
    """Show the parameters that were used, folded away, in place of the ones they replaced.

    What libraries say of themselves on stderr is left out.
    """
    content = nbformat.read(notebook, as_version=4)
    for cell in content.cells:
        if "outputs" in cell:
            cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*tags, "hide-input"]
            cell.metadata["mystnb"] = {"code_prompt_show": "Parameters of this page"}
        elif "parameters" in tags:
            cell.metadata["tags"] = [*tags, "remove-cell"]
    nbformat.write(content, notebook)


def _last_lines(text: str, count: int) -> str:
    return "\n".join(text.strip().splitlines()[-count:])
