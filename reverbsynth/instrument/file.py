"""The one file an instrument is kept in.

It is safetensors: weights, and in its metadata a JSON document with everything else and a SHA-256
over all of it. It holds no code and opening it runs none.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.tensors import load_tensors, save_tensors
from reverbsynth.gan import schedule
from reverbsynth.gan.networks import Generator
from reverbsynth.settings import GanSettings, SpectraSettings

FORMAT = "reverbsynth-instrument"

VERSION = 2
"""2 added the SHA-256."""


@dataclass(frozen=True)
class InstrumentState:
    """What the file holds (see `reverbsynth.instrument.instrument.Instrument`)."""

    gan: GanSettings
    spectra: SpectraSettings
    labels: dict[str, list]
    stage: int
    progress: float
    weights: dict[str, np.ndarray]
    facts: dict[str, Any]


def read(path: Path | str) -> InstrumentState:
    """Read an instrument's file.

    Raises
    ------
    ReverbSynthError
        For a file that is foreign, truncated, tampered with, or of another version.
    """
    path = Path(path)
    weights, metadata = load_tensors(path)
    if metadata.get("format") != FORMAT:
        raise ReverbSynthError(f"{path}: not an instrument (no {FORMAT} mark)")
    try:
        text = metadata["instrument"]
        document = json.loads(text)
        _check_version(document["version"], path)
        if metadata["sha256"] != _digest(text, weights):
            raise ReverbSynthError(f"{path}: changed since it was written (SHA-256 differs)")
        gan = GanSettings.model_validate(document["gan"])
        spectra = SpectraSettings.model_validate(document["spectra"])
        labels, stage, progress = _checked(document, gan)
        return InstrumentState(
            gan, spectra, labels, stage, progress, weights, dict(document["facts"])
        )
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ReverbSynthError(f"{path}: damaged instrument ({reason})") from None


def write(path: Path | str, kept: InstrumentState, float16: bool) -> None:
    """Write an instrument's file, atomically; ``float16`` rounds the weights."""
    kind = np.float16 if float16 else np.float32
    with np.errstate(over="ignore"):
        weights = {name: value.astype(kind) for name, value in kept.weights.items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise ReverbSynthError(f"{path}: found weights beyond 65504, which do not fit float16")
    document = {
        "version": VERSION,
        "gan": kept.gan.model_dump(mode="json"),
        "spectra": kept.spectra.model_dump(mode="json"),
        "labels": kept.labels,
        "stage": kept.stage,
        "progress": kept.progress,
        "facts": kept.facts,
    }
    text = json.dumps(document, sort_keys=True)
    metadata = {"format": FORMAT, "instrument": text, "sha256": _digest(text, weights)}
    save_tensors(Path(path), weights, metadata)


def check_weights(weights: dict[str, np.ndarray], generator: Generator) -> None:
    """Refuse weights that are not a generator's.

    Raises
    ------
    ReverbSynthError
        For one that is missing, out of place, of another shape, or not finite.
    """
    variables = generator.named_variables()
    if variables.keys() != weights.keys():
        odd = sorted(variables.keys() ^ weights.keys())[0]
        raise ReverbSynthError(f"instrument: weight {odd} is missing or out of place")
    for name, variable in variables.items():
        value = weights[name]
        if value.shape != tuple(variable.shape):
            raise ReverbSynthError(
                f"instrument: weight {name} has shape {value.shape}, "
                f"expected {tuple(variable.shape)}"
            )
        if not np.isfinite(value).all():
            raise ReverbSynthError(f"instrument: weight {name} holds values that are not finite")


def _digest(text: str, weights: dict[str, np.ndarray]) -> str:
    """SHA-256 over the document and every tensor, its name, kind and shape included."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(weights):
        value = weights[name]
        digest.update(f"\n{name} {value.dtype.str} {value.shape}\n".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _check_version(version: Any, path: Path) -> None:
    if version == VERSION:
        return
    remedy = (
        "save it again from its run, or with the package that wrote it"
        if isinstance(version, int) and version < VERSION
        else "update the package"
    )
    raise ReverbSynthError(
        f"{path}: instrument of version {version}, this package reads version {VERSION}; {remedy}"
    )


def _checked(document: dict, gan: GanSettings) -> tuple[dict[str, list], int, float]:
    labels, stage, progress = document["labels"], document["stage"], document["progress"]
    # The document sorts its keys; the labels' blocks are in the settings' order.
    if set(labels) != set(gan.labels) or not all(
        isinstance(values, list) and values and len(set(values)) == len(values)
        for values in labels.values()
    ):
        raise ValueError("its labels do not fit its settings")
    if not all(isinstance(pitch, int) and 0 <= pitch <= 127 for pitch in labels["pitch"]):
        raise ValueError("its pitches are not MIDI pitches")
    if not isinstance(stage, int) or not 0 <= stage <= schedule.LAST_STAGE:
        raise ValueError(f"stage {stage!r}, expected 0 to {schedule.LAST_STAGE}")
    if not isinstance(progress, float) or not 0 <= progress < schedule.N_BLOCKS:
        raise ValueError(f"progress {progress!r}")
    return {name: labels[name] for name in gan.labels}, stage, progress
