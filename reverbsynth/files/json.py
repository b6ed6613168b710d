"""Reading JSON documents, with one-line errors."""

import json
from pathlib import Path
from typing import Any

from reverbsynth.errors import ReverbSynthError


def read_json(
    path: Path | str,
    format: int | str | None = None,
    error: type[ReverbSynthError] = ReverbSynthError,
) -> dict[str, Any]:
    """Read a JSON object from a file.

    Parameters
    ----------
    path : path
    format : int or str, optional
        The value that its entry ``format`` must have.
    error : type, optional
        The subclass of `ReverbSynthError` to raise.

    Raises
    ------
    ReverbSynthError
        When the file is missing or unreadable, holds no JSON object, or one of another format.
    """
    path = Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror or problem})") from None
    except (ValueError, RecursionError):
        raise error(f"{path}: not valid JSON") from None
    if not isinstance(document, dict):
        raise error(f"{path}: found a JSON {type(document).__name__}, expected an object")
    if format is not None and document.get("format") != format:
        found = document.get("format")
        raise error(f"{path}: found format {found!r}, expected {format!r}")
    return document
