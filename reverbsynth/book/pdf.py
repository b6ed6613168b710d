"""The paper-length chapters as one PDF: the built pages, printed by a browser without a window."""

import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import atomic_path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PARTS = ("The paper", "The experiment")  #: of the contents, printed after the landing page
_SECONDS = 180
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer"),
    "--virtual-time-budget=20000",  # ms of the page's own time, for the script that sets formulas
)


def print_book(html: Path | str, contents: Path | str, target: Path | str) -> int:
    """Print a built book's chapters, as its ``_toc.yml`` lists them, to a PDF; count its sheets."""
    from pypdf import PdfReader, PdfWriter

    html, console = Path(html), Console()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise ReverbSynthError(f"no browser to print with: expected one of {', '.join(BROWSERS)}")
    writer = PdfWriter()
    for name in chapters(Path(contents)):
        page = html / f"{name}.html"
        if not page.is_file():
            raise ReverbSynthError(f"{page}: not found; build the book first (make book)")
        sheets = PdfReader(io.BytesIO(_printed(browser, page)))
        for sheet in sheets.pages:
            _drop_file_links(sheet)
        _, _, title = page.read_text(encoding="utf-8").partition("<title>")
        title = title.partition("</title>")[0].partition(" — ")[0].strip() or page.stem
        writer.append(sheets, outline_item=title, import_outline=False)
        console.print(f"  {name}: {len(sheets.pages)} sheets", highlight=False)
    writer.add_metadata({"/Title": "ReverbSynth", "/Author": "The ReverbSynth contributors"})
    writer.compress_identical_objects()
    with atomic_path(Path(target)) as temporary:
        writer.write(temporary)
    return len(writer.pages)


def chapters(contents: Path) -> list[str]:
    """Pages to print, by the book's contents."""
    toc = yaml.safe_load(contents.read_text(encoding="utf-8"))
    printed = [part for part in toc.get("parts", []) if part["caption"] in PARTS]
    return [toc["root"], *(page["file"] for part in printed for page in part["chapters"])]


def _printed(browser: str, page: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder) / "page.pdf"
        command = [browser, *_OPTIONS, f"--user-data-dir={folder}/profile"]
        command += [f"--print-to-pdf={printed}", page.resolve().as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise ReverbSynthError(f"{page}: not printed within {_SECONDS} s") from None
        if not printed.is_file():
            raise ReverbSynthError(f"{page}: {Path(browser).name} did not print it")
        return printed.read_bytes()


def _drop_file_links(sheet: Any) -> None:
    """Take out links to the pages that were printed: they are this machine's files."""
    if (links := sheet.get("/Annots")) is not None:
        links = links.get_object()
        links[:] = [link for link in links if not str(_address(link)).startswith("file:")]


def _address(link: Any) -> Any:
    action = link.get_object().get("/A")
    return action and action.get_object().get("/URI")
