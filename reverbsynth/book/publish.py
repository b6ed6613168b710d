"""The notebooks as readers get them: on Colab, or from the page's download button.

They are those of the repository with one more cell, which installs the library.
"""

from pathlib import Path

import nbformat

from reverbsynth.files.atomic import write_text
from reverbsynth.provenance import REPOSITORY, commit

BRANCH = "notebooks"  #: the repository's branch that holds the published notebooks
_INSTALL = """\
# For Colab and other machines without the library: the commit this notebook was published from.
%pip install --quiet "reverbsynth @ git+{repository}@{revision}\""""


def publish_notebook(notebook: Path, target: Path) -> None:
    """Write a notebook to `target` with a cell before its first code that installs the library."""
    content = nbformat.read(notebook, as_version=4)
    revision = commit().removesuffix("+").replace("unknown", "main")
    first = next(n for n, cell in enumerate(content.cells) if cell.cell_type == "code")
    install = nbformat.v4.new_code_cell(
        _INSTALL.format(repository=REPOSITORY, revision=revision),
        metadata={"tags": ["install"]},
        id="install",
    )
    content.cells.insert(first, install)
    write_text(target, nbformat.writes(content) + "\n")
