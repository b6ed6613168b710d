"""What readers get beside the pages: notebooks that install the library, and texts to search."""

import json
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup

from reverbsynth.files.atomic import write_text
from reverbsynth.provenance import REPOSITORY, commit


def publish_notebook(notebook: Path, target: Path) -> None:
    """Write a notebook to `target` with a cell before its first code that installs the library."""
    content = nbformat.read(notebook, as_version=4)
    revision = commit().removesuffix("+").replace("unknown", "main")
    first = next(n for n, cell in enumerate(content.cells) if cell.cell_type == "code")
    code = (
        "# For Colab and other machines without the library: the commit this notebook was "
        f'published from.\n%pip install --quiet "reverbsynth[train] @ git+{REPOSITORY}@{revision}"'
    )
    install = nbformat.v4.new_code_cell(code, metadata={"tags": ["install"]}, id="install")
    content.cells.insert(first, install)
    write_text(target, nbformat.writes(content) + "\n")


def write_search_texts(html: Path) -> None:
    """Write ``_static/texts.js``: of each page the sections with their words, which the search
    shows sentences from. A browser lets no page opened from a file read another.
    """
    texts = {}
    for path in sorted(html.rglob("*.html")):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        if article := page.select_one("article.bd-article"):
            for part in article.select("script, style, details, .headerlink, .cell_input, audio"):
                part.decompose()
            for part in article.find_all(True):
                part.attrs = {"id": part["id"]} if part.get("id") else {}
            words = " ".join(str(article).split())
            texts[path.relative_to(html).as_posix()] = f'<div role="main">{words}</div>'
    write_text(html / "_static" / "texts.js", f"window.rsTexts = {json.dumps(texts)};\n")
