"""Sound files: written in the format that their suffix names."""

import io
import re
from pathlib import Path

import numpy as np
import soundfile
import soxr

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import atomic_path

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


RATES = (4_000, 768_000)
"""Lowest and highest sample rate that is believed."""

MOST_CHANNELS = 64

MARGIN = 0.1
"""Seconds read past the wanted end, so that resampling does not fade it."""


def read_sound(
    file: Path | bytes, name: str | None = None, seconds: float = NOTE_LENGTH / SAMPLE_RATE
) -> np.ndarray:
    """The start of a sound: mixed to mono, resampled to 16 kHz, turned down to [-1, 1].

    Parameters
    ----------
    file
        A path, or the bytes of a sound file.
    name
        What errors call it; unset, the path.
    seconds
        At most so much of it is read.

    Returns
    -------
    np.ndarray
        float32 samples, of as many as the file holds but at most ``seconds``.

    Raises
    ------
    ReverbSynthError
        When it cannot be read, is empty, truncated or not finite, or its header is not to be
        believed.
    """
    name = str(file) if name is None else name
    samples, rate = read_frames(file, name, seconds + MARGIN)
    if not np.isfinite(samples).all():
        raise ReverbSynthError(f"{name}: audio holds NaN or infinity")
    mono = samples.mean(axis=1, dtype=np.float64).astype(np.float32)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE, quality="VHQ")
    mono = mono[: round(seconds * SAMPLE_RATE)]
    return np.ascontiguousarray(mono / max(1, np.abs(mono).max(initial=0)), np.float32)


def read_nsynth_wav(file: Path | bytes, name: str | None = None) -> np.ndarray:
    """A WAV file as NSynth has them: mono, 16 kHz, 64,000 samples.

    Raises
    ------
    ReverbSynthError
        When it is anything else, or cannot be read.
    """
    name = str(file) if name is None else name
    samples, rate = read_frames(file, name, 2 * NOTE_LENGTH / SAMPLE_RATE)
    for found, expected, what in (
        (rate, SAMPLE_RATE, "sample rate"),
        (samples.shape[1], 1, "number of channels"),
        (samples.shape[0], NOTE_LENGTH, "number of samples"),
    ):
        if found != expected:
            raise ReverbSynthError(f"{name}: {what} is {found}, expected {expected}")
    return np.ascontiguousarray(samples[:, 0])


def read_frames(file: Path | bytes, name: str, seconds: float) -> tuple[np.ndarray, int]:
    """The start of a sound as it is: float32 of shape (frames, channels), and its sample rate.

    Raises
    ------
    ReverbSynthError
        When it cannot be read, is empty or truncated, or its header is not to be believed.
    """
    try:
        if not isinstance(file, bytes):
            # The library tells no reason why a file cannot be opened; the system does.
            with open(file, "rb"):
                pass
        with soundfile.SoundFile(_Bytes(file) if isinstance(file, bytes) else file) as sound:
            rate = sound.samplerate
            if not RATES[0] <= rate <= RATES[1]:
                raise ReverbSynthError(
                    f"{name}: sample rate is {rate}, expected {RATES[0]} to {RATES[1]}"
                )
            if sound.channels > MOST_CHANNELS:
                raise ReverbSynthError(
                    f"{name}: has {sound.channels} channels, expected at most {MOST_CHANNELS}"
                )
            if missing := _missing(sound.extra_info):
                raise ReverbSynthError(f"{name}: is truncated, {missing} bytes are missing")
            frames = min(sound.frames, round(seconds * rate))
            samples = sound.read(frames, dtype="float32", always_2d=True)
    except OSError as error:
        raise ReverbSynthError(f"{name}: cannot be read ({error.strerror or error})") from None
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        # A file object's name in the library's message says nothing to a user.
        reason = " ".join(str(error).split("): ")[-1].split(">: ")[-1].split())
        raise ReverbSynthError(f"{name}: not a readable sound file ({reason})") from None
    if len(samples) == 0:
        raise ReverbSynthError(f"{name}: holds no audio")
    if len(samples) < frames:
        raise ReverbSynthError(f"{name}: is truncated, found {len(samples)} of {frames} frames")
    return samples, rate


class _Bytes(io.BytesIO):
    """Bytes as a file. Where a broken header asks for a place before the start, it stays there.

    An exception could not leave the library, which would print it.
    """

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return super().seek(0)


def _missing(log: str) -> int:
    """Bytes that a WAV or AIFF file's header promises and the file lacks, by libsndfile's log.

    A size of all ones stands for an unknown one, in files written to a pipe.
    """
    for promised, found in re.findall(r"\b(?:data|SSND) *: (\d+) \(should be (\d+)\)", log):
        if int(promised) < 2**31 - 2**10 and int(promised) > int(found):
            return int(promised) - int(found)
    return 0
