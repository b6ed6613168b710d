"""The metrics of a run: a row of ``metrics.csv`` for every step."""

import csv
import io
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from reverbsynth.errors import RunError
from reverbsynth.files.atomic import write_text

FLUSH_SECONDS = 5.0


class MetricsLog:
    """Appends rows to a CSV file, those of a few seconds in one write."""

    def __init__(self, path: Path):
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._flushed = time.monotonic()

    def add(self, row: dict[str, Any]) -> None:
        """Append a row; all rows have the same columns."""
        self._rows.append(row)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the rows held back: all of them, or none and a `RunError`."""
        self._flushed = time.monotonic()
        if not self._rows:
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self._rows[0]), lineterminator="\n")
        size = self._path.stat().st_size if self._path.exists() else 0
        if not size:
            writer.writeheader()
        writer.writerows(self._rows)
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with suppress(OSError):
                os.truncate(self._path, size)
            raise RunError(f"{self._path}: cannot be written ({error.strerror})") from error
        self._rows.clear()


def trim_metrics(path: Path, images: int) -> None:
    """Drop the rows of steps after a checkpoint, and a last line cut short."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [lines[0]] if lines and images > 0 else []
    for line in lines[1:] if kept else []:
        first = line.partition(",")[0]
        if line.endswith("\n") and first.isdecimal() and int(first) <= images:
            kept.append(line)
    if kept:
        write_text(path, "".join(kept))
    else:
        path.unlink()


def curve_names(labels: Iterable[str]) -> dict[str, str]:
    """Titles of the metrics that Figures 18 to 24 show, by column.

    A run with more labels than pitch has one pair of auxiliary classifier (AC) losses for each.
    """
    names = {
        "discriminator_wasserstein": "discriminator Wasserstein loss",
        "generator_wasserstein": "generator Wasserstein loss",
        "gradient_penalty": "gradient penalty",
    }
    for label in labels:
        suffix = "" if label == "pitch" else f" ({label})"
        names[f"fake_{label}_loss"] = f"fake AC loss{suffix}"
        names[f"real_{label}_loss"] = f"real AC loss{suffix}"
    return {**names, "fake_consistency": "fake GL loss", "real_consistency": "real GL loss"}
