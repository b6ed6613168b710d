"""Tensors with metadata in one safetensors file."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import atomic_path
from reverbsynth.files.reading import reading


def save_tensors(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write tensors as safetensors, atomically."""
    with atomic_path(path) as temporary:
        contiguous = {name: np.asarray(value, order="C") for name, value in tensors.items()}
        # By safetensors' own `save_file` no one else might read it, whatever the umask says.
        temporary.write_bytes(save(contiguous, metadata))


def load_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read tensors and metadata of a safetensors file."""
    with reading(path):
        path.open("rb").close()
    try:
        with safe_open(path, framework="numpy") as file:
            return load_file(path), dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise ReverbSynthError(f"{path}: not a whole safetensors file ({error})") from None
