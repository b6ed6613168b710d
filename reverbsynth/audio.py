"""Sound files: written in the format that their suffix names."""

from pathlib import Path

import numpy as np
import soundfile

from reverbsynth.atomic import atomic_path
from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import SAMPLE_RATE

FORMATS = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}

_BLOCK = 2**16


def check_suffix(path: Path | str) -> Path:
    """The path, where its suffix is one that can be written.

    Raises
    ------
    ReverbSynthError
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        raise ReverbSynthError(f"{path}: found suffix {path.suffix!r}, expected one of {known}")
    return path


def write_audio(path: Path | str, audio: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
    """Write samples [shape=(n,)], within [-1, 1], to a WAV, FLAC or OGG file, atomically.

    Raises
    ------
    ReverbSynthError
        For another suffix, or when the system refuses the write.
    """
    path = check_suffix(path)
    kind, subtype = FORMATS[path.suffix.lower()]
    with atomic_path(path) as temporary:
        try:
            # In blocks: the Vorbis encoder overflows its stack on one long write.
            with soundfile.SoundFile(
                temporary, "w", sample_rate, channels=1, format=kind, subtype=subtype
            ) as file:
                for start in range(0, len(audio), _BLOCK):
                    file.write(audio[start : start + _BLOCK])
        except soundfile.LibsndfileError as error:
            raise ReverbSynthError(f"{path}: cannot be written ({error})") from None
