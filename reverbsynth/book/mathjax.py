"""A Sphinx extension that puts MathJax beside the pages, so that they need no network.

The one file written is MathJax 3 with its SVG fonts inside, from the installed package
``django-static-mathjax`` (data only: it needs no Django), with its licence.
"""

import shutil
from importlib.metadata import files
from pathlib import Path
from typing import Any

_PACKAGE = "django-static-mathjax"
_SCRIPT = "mathjax/static/mathjax/es5/tex-svg.js"


def mathjax_files() -> list[Path]:
    """The installed MathJax script and its licence."""
    found = files(_PACKAGE) or []
    script = next(path for path in found if str(path) == _SCRIPT)
    licence = next(path for path in found if path.name == "LICENSE" and "dist-info" in str(path))
    return [Path(str(path.locate())) for path in (script, licence)]


def setup(app: Any) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("build-finished", _copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _copy_mathjax(app: Any, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / Path(app.config.mathjax_path).parent
    target.mkdir(parents=True, exist_ok=True)
    for source in mathjax_files():
        shutil.copyfile(source, target / source.name)
