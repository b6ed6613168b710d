"""Sound files: read as mono at 16 kHz, written in the format that their suffix names."""

import io
import re
from pathlib import Path

import numpy as np
import soundfile
import soxr

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.errors import DataError, SettingsError
from reverbsynth.files.atomic import atomic_path
from reverbsynth.files.reading import reading

FORMATS = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}
"""Formats that can be written, as libsndfile calls them, by suffix."""

RATES = (4_000, 768_000)  # Lowest and highest sample rate that a file's header is believed.
MOST_CHANNELS = 64
_BLOCK = 2**16
_MARGIN = 0.1  # Seconds read past the wanted end, so that resampling does not fade it.


def check_suffix(path: Path | str) -> Path:
    """The path, where its suffix is one that can be written; else a `SettingsError`."""
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        raise SettingsError(f"{path}: found suffix {path.suffix!r}, expected one of {known}")
    return path


def encode_audio(audio: np.ndarray, suffix: str = ".wav", sample_rate: int = SAMPLE_RATE) -> bytes:
    """The bytes of a WAV, FLAC or OGG file of samples [shape=(n,) or (n, 2)], clipped."""
    kind, subtype = FORMATS[suffix.lower()]
    content = io.BytesIO()
    channels = 1 if audio.ndim == 1 else audio.shape[1]
    with soundfile.SoundFile(content, "w", sample_rate, channels, subtype, format=kind) as file:
        # In blocks: the Vorbis encoder overflows its stack on one long write.
        for start in range(0, len(audio), _BLOCK):
            file.write(np.clip(audio[start : start + _BLOCK], -1, 1))
    return content.getvalue()


def write_audio(path: Path | str, audio: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
    """Write samples, clipped to [-1, 1], to a WAV, FLAC or OGG file, atomically."""
    path = check_suffix(path)
    with atomic_path(path) as temporary:
        temporary.write_bytes(encode_audio(audio, path.suffix, sample_rate))


def read_sound(
    file: Path | bytes, name: str | None = None, seconds: float = NOTE_LENGTH / SAMPLE_RATE
) -> np.ndarray:
    """Read the start of a sound: mixed to mono, resampled to 16 kHz, turned down to [-1, 1].

    Parameters
    ----------
    file : path or bytes
        A sound file, or its content, which errors call ``name``.
    seconds : float
        Length that is read at most.

    Returns
    -------
    ndarray, float32 [shape=(n,)]
        Finite; a `DataError` where there are no such samples, or the header is not to be believed.
    """
    name = str(file) if name is None else name
    samples, rate = _read_frames(file, name, seconds + _MARGIN)
    if not np.isfinite(samples).all():
        raise DataError(f"{name}: audio holds NaN or infinity")
    mono = samples.mean(axis=1, dtype=np.float64).astype(np.float32)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE, quality="VHQ")
    mono = mono[: round(seconds * SAMPLE_RATE)]
    return np.ascontiguousarray(mono / max(1, np.abs(mono).max(initial=0)), np.float32)


def read_nsynth_wav(file: Path | bytes, name: str | None = None) -> np.ndarray:
    """Read a WAV file that must be as NSynth's are: mono, 16 kHz, float32 [shape=(64000,)]."""
    name = str(file) if name is None else name
    samples, rate = _read_frames(file, name, 2 * NOTE_LENGTH / SAMPLE_RATE)
    for what, value, expected in (
        ("sample rate", rate, SAMPLE_RATE),
        ("number of channels", samples.shape[1], 1),
        ("number of samples", samples.shape[0], NOTE_LENGTH),
    ):
        if value != expected:
            raise DataError(f"{name}: {what} is {value}, expected {expected}")
    return np.ascontiguousarray(samples[:, 0])


def _read_frames(file: Path | bytes, name: str, seconds: float) -> tuple[np.ndarray, int]:
    """The start of a sound as it is, float32 [shape=(frames, channels)], and its sample rate."""
    if not isinstance(file, bytes):
        # libsndfile gives no reason why a file cannot be opened; the system does.
        with reading(name), open(file, "rb"):
            pass
    try:
        with soundfile.SoundFile(_Bytes(file) if isinstance(file, bytes) else file) as sound:
            _check_header(sound, name)
            frames = min(sound.frames, round(seconds * sound.samplerate))
            samples = sound.read(frames, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError, OSError) as error:
        # A file object's name in the library's message says nothing to a user.
        reason = " ".join(str(error).split("): ")[-1].split(">: ")[-1].split())
        raise DataError(f"{name}: not a readable sound file ({reason})") from None
    if len(samples) == 0:
        raise DataError(f"{name}: holds no audio")
    if len(samples) < frames:
        raise DataError(f"{name}: is truncated, found {len(samples)} of {frames} frames")
    return samples, sound.samplerate


def _check_header(sound: soundfile.SoundFile, name: str) -> None:
    if not RATES[0] <= sound.samplerate <= RATES[1]:
        raise DataError(
            f"{name}: sample rate is {sound.samplerate}, expected {RATES[0]} to {RATES[1]}"
        )
    if sound.channels > MOST_CHANNELS:
        raise DataError(f"{name}: has {sound.channels} channels, expected at most {MOST_CHANNELS}")
    # What a WAV or AIFF file's header promises and the file lacks, by libsndfile's log. A size of
    # all ones stands for an unknown one, in files written to a pipe.
    log = r"\b(?:data|SSND) *: (\d+) \(should be (\d+)\)"
    for promised, held in re.findall(log, sound.extra_info):
        missing = int(promised) - int(held)
        if missing > 0 and int(promised) < 2**31 - 2**10:
            raise DataError(f"{name}: is truncated, {missing} bytes are missing")


class _Bytes(io.BytesIO):
    """Bytes as a file. Where a broken header seeks to before the start, it stays at the start.

    An exception could not leave the library, which would print it.
    """

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return super().seek(0)
