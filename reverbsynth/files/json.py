"""Reading JSON documents, with one-line errors."""

import json
from pathlib import Path
from typing import Any

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.reading import reading


def read_json(
    path: Path | str,
    format: int | str | None = None,
    error: type[ReverbSynthError] = ReverbSynthError,
) -> dict[str, Any]:
    """Read a JSON object, whose entry ``format`` is the one given; raise ``error`` for others."""
    path = Path(path)
    try:
        with reading(path, error):
            document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise error(f"{path}: not valid JSON") from None
    if not isinstance(document, dict):
        raise error(f"{path}: found a JSON {type(document).__name__}, expected an object")
    if format is not None and (found := document.get("format")) != format:
        raise error(f"{path}: found format {found!r}, expected {format!r}")
    return document
