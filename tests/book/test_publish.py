"""Notebooks as readers get them."""

from pathlib import Path

import nbformat
import pytest

from reverbsynth.book import publish

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_one_cell_more_and_nothing_else(path, tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "commit", lambda: "0123456789ab+")
    publish.publish_notebook(path, tmp_path / "published.ipynb")
    published = nbformat.read(tmp_path / "published.ipynb", as_version=4)
    nbformat.validate(published)
    original = nbformat.read(path, as_version=4)
    (install,) = [c for c in published.cells if "install" in c.metadata.get("tags", [])]
    code = [cell for cell in published.cells if cell.cell_type == "code"]
    assert code[0] is install
    assert install.source.endswith(
        '%pip install --quiet "reverbsynth[train] @ git+https://github.com/reverbsynth/reverbsynth'
        '@0123456789ab"'
    )
    published.cells.remove(install)
    assert [cell.source for cell in published.cells] == [cell.source for cell in original.cells]


def test_outside_a_checkout_the_branch_stands_in(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "commit", lambda: "unknown")
    publish.publish_notebook(NOTEBOOKS[0], tmp_path / "published.ipynb")
    assert '@main"' in (tmp_path / "published.ipynb").read_text().replace('\\"', '"')
