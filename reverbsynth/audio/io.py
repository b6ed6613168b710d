"""Sound files: read as mono at 16 kHz, written in the format that their suffix names."""

import io
import os
import re
import struct
from pathlib import Path

import numpy as np
import soundfile
import soxr

from reverbsynth.audio import mp3
from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.errors import DataError, SettingsError
from reverbsynth.files.atomic import atomic_path
from reverbsynth.files.reading import reading

#: Formats that can be written, as libsndfile calls them, by suffix.
FORMATS = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}
RATES = (4_000, 768_000)  # Lowest and highest sample rate that a file's header is believed.
MOST_CHANNELS = 64

#: Bytes from which a header's length that the file lacks is no length: programs write it to pipes.
UNKNOWN_LENGTH = 2**31 - 2**16
_LENGTHS = {b"RIFF": (b"data", 4, 4), b"caff": (b"data", 4, 8), b"RF64": (b"ds64", 16, 8)}
_BLOCK = 2**16
_LEAD = 0.04  # Seconds before a response in which the resampler's own echo of its start begins.
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

    ``file`` may also be its content, which errors call ``name``. Finite float32 [shape=(n,)].
    """
    mono, _ = _read_mono(file, name, seconds)
    return np.ascontiguousarray(mono / max(1, np.abs(mono).max(initial=0)), np.float32)


def read_response(path: Path) -> tuple[np.ndarray, int]:
    """Read 4 s of an impulse response at 16 kHz, float32 [shape=(n,)], that does to a sound at that
    rate what the file's own does to one at its: of fewer samples each counts for more. Its first
    sample's echo begins before it, by as many samples as are returned beside it.
    """
    mono, rate = _read_mono(path, None, NOTE_LENGTH / SAMPLE_RATE, _LEAD)
    lead = round(_LEAD * SAMPLE_RATE) if rate != SAMPLE_RATE else 0
    return np.ascontiguousarray(mono * np.float32(rate / SAMPLE_RATE), np.float32), lead


def _read_mono(
    file: Path | bytes, name: str | None, seconds: float, lead: float = 0.0
) -> tuple[np.ndarray, int]:
    """The start of a sound, mixed to mono and resampled to 16 kHz, and the rate that it had.

    A resampled one begins so many seconds of a ``lead`` before.
    """
    name = str(file) if name is None else name
    samples, rate = _read_frames(file, name, seconds + _MARGIN)
    if not np.isfinite(samples).all():
        raise DataError(f"{name}: audio holds NaN or infinity")
    mono = samples.mean(axis=1, dtype=np.float64).astype(np.float32)
    if rate != SAMPLE_RATE:
        mono = np.pad(mono, (round(lead * rate), 0))
        mono = soxr.resample(mono, rate, SAMPLE_RATE, quality="VHQ")
        seconds += lead
    return mono[: round(seconds * SAMPLE_RATE)], rate


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
    with reading(name):
        content = file if isinstance(file, bytes) else Path(file).read_bytes()
    try:
        with _Sound(_Bytes(mp3.with_length(_with_length(content)))) as sound:
            _check_header(sound, name)
            wanted = min(sound.frames, round(seconds * sound.samplerate))
            samples = sound.read(wanted, dtype="float32", always_2d=True)
            complete = len(samples) == wanted or not sound.seekable()
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError, OSError) as error:
        # A file object's name in the library's message says nothing to a user.
        reason = " ".join(re.split(r"[)>]: ", str(error))[-1].split())
        raise DataError(f"{name}: not a readable sound file ({reason})") from None
    if len(samples) == 0:
        raise DataError(f"{name}: holds no audio")
    if not complete:
        raise DataError(f"{name}: is truncated, found {len(samples)} of {wanted} frames")
    return samples, sound.samplerate


def _check_header(sound: soundfile.SoundFile, name: str) -> None:
    low, high = RATES
    if not low <= sound.samplerate <= high:
        raise DataError(f"{name}: sample rate is {sound.samplerate}, expected {low} to {high}")
    if sound.channels > MOST_CHANNELS:
        raise DataError(f"{name}: has {sound.channels} channels, expected at most {MOST_CHANNELS}")
    # What a WAV or AIFF file's header promises and the file lacks, by libsndfile's log.
    log = r"\b(?:data|SSND) *: (\d+) \(should be (\d+)\)"
    for promised, held in re.findall(log, sound.extra_info):
        missing = int(promised) - int(held)
        if missing > 0 and int(promised) < UNKNOWN_LENGTH:
            raise DataError(f"{name}: is truncated, {missing} bytes are missing")


def _with_length(content: bytes) -> bytes:
    """A WAV, RF64 or CAF file with its length, where the header leaves it open (0, all ones)."""
    mark, offset, size = _LENGTHS.get(content[:4], (b"data", 0, 0))
    at, start = content.find(mark) + offset, content.find(b"data") + 8
    if not size or content[at : at + size] not in (bytes(size), b"\xff" * size):
        return content
    is_caf = mark == b"data" and size == 8
    rest = len(content) - start - 4 * is_caf
    length = rest.to_bytes(size, "big" if is_caf else "little")
    return content[:at] + length + content[at + size :]


def root_key(path: Path) -> int | None:
    """The MIDI pitch that a WAV file's ``smpl`` or an AIFF file's ``INST`` chunk names, if any."""
    with reading(path), open(path, "rb") as file:
        form = file.read(12)[:4]
        name, place = {b"FORM": (b"INST", ">bb")}.get(form, (b"smpl", "<12xII"))
        while form in (b"FORM", b"RIFF", b"RF64") and len(header := file.read(8)) == 8:
            chunk, size = struct.unpack(f"{place[0]}4sI", header)
            content = file.read(min(size, struct.calcsize(place)))
            if chunk == name and len(content) == struct.calcsize(place):
                key, above = struct.unpack(place, content)  # A part of a semitone above the key.
                return key if 0 < key <= 127 and not above else None
            file.seek(size + size % 2 - len(content), os.SEEK_CUR)
    return None


class _Sound(soundfile.SoundFile):
    """A sound file, not to be sought in where it does not tell its length (a FLAC from a pipe)."""

    def seekable(self) -> bool:
        return self.frames < 2**62 and super().seekable()


class _Bytes(io.BytesIO):
    """Bytes as a file. A seek to before the start stays there: libsndfile would print an error."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return super().seek(0)
