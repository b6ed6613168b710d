"""The one file an instrument is kept in.

It is safetensors: weights, and in its metadata a JSON document with everything else and a SHA-256
over all of it. It holds no code and opening it runs none.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from reverbsynth.errors import RunError
from reverbsynth.files.tensors import load_tensors, save_tensors
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.settings import GanSettings, SpectraSettings

FORMAT = "reverbsynth-instrument"
# 2 added the SHA-256; 3 keeps labels in order; 4 says which pitches were trained; 5 starts from the
# ideal tone where the pitch is told as a number; 6 has a slope below the floor there, and straight
# lines between the frames that are refined.
VERSION = 6


def read(path: Path | str) -> TrainedGenerator:
    """Read an instrument's file; RunError if it is foreign, damaged, or of another version."""
    path = Path(path)
    weights, metadata = load_tensors(path)
    if metadata.get("format") != FORMAT:
        raise RunError(f"{path}: not an instrument (no {FORMAT} mark)")
    try:
        text = metadata["instrument"]
        document = json.loads(text)
        version, told = document["version"], document["gan"].get("pitch_input")
        if version != VERSION and not (version in (4, 5) and told != "harmonic"):
            old = isinstance(version, int) and version < VERSION
            again = "train it anew, or play it with the package that wrote it"
            raise RunError(
                f"instrument of version {version}, this package reads version {VERSION}; "
                f"{again if old else 'update the package'}"
            )
        if metadata["sha256"] != _digest(text, weights):
            raise RunError("changed since it was written (SHA-256 differs)")
        labels = LabelSpace.from_json(document["labels"])
        if not all(isinstance(pitch, int) and 0 <= pitch <= 127 for pitch in labels["pitch"]):
            raise ValueError("its pitches are not MIDI pitches")
        return TrainedGenerator(
            GanSettings.model_validate(document["gan"]),
            SpectraSettings.model_validate(document["spectra"]),
            labels,
            document["stage"],
            document["progress"],
            {name: value.astype(np.float32) for name, value in weights.items()},
            dict(document["facts"]),
            tuple(document["trained_pitches"]),
        )
    except RunError as error:
        raise RunError(f"{path}: {str(error).removeprefix('instrument: ')}") from None
    except (KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise RunError(f"{path}: damaged instrument ({reason})") from None


def write(path: Path | str, generator: TrainedGenerator, float16: bool = False) -> None:
    """Write an instrument's file, atomically; ``float16`` rounds the weights."""
    with np.errstate(over="ignore"):
        weights = {
            name: value.astype(np.float16 if float16 else np.float32)
            for name, value in generator.weights.items()
        }
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise RunError(f"{path}: found weights beyond 65504, which do not fit float16")
    document = {
        "version": VERSION,
        "gan": generator.gan.model_dump(mode="json"),
        "spectra": generator.spectra.model_dump(mode="json"),
        "labels": generator.labels.to_json(),
        "stage": generator.stage,
        "progress": generator.progress,
        "facts": generator.facts,
        "trained_pitches": generator.trained_pitches,
    }
    text = json.dumps(document, sort_keys=True)
    metadata = {"format": FORMAT, "instrument": text, "sha256": _digest(text, weights)}
    save_tensors(Path(path), weights, metadata)


def _digest(text: str, weights: dict[str, np.ndarray]) -> str:
    """SHA-256 over the document and every tensor, its name, kind and shape included."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(weights):
        value = weights[name]
        digest.update(f"\n{name} {value.dtype.str} {value.shape}\n".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()
