"""Small sources of notes, made on the spot."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import Settings


def _tone(pitch: float, seconds: float = 4.0, rate: int = SAMPLE_RATE, peak: float = 0.5):
    time = np.arange(round(seconds * rate)) / rate
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    harmonics = sum(np.sin(2 * np.pi * k * frequency * time) / k for k in (1, 2, 3))
    wave = harmonics * np.exp(-time)
    return (peak * wave / np.abs(wave).max()).astype(np.float32)


@pytest.fixture(scope="session")
def tone() -> Callable[..., np.ndarray]:
    """A plucked tone: tone(pitch, seconds=4, rate=16000, peak=0.5)."""
    return _tone


def _attempt(action: Callable) -> tuple[object, str]:
    try:
        return action(), ""
    except ReverbSynthError as error:
        return None, str(error)


@pytest.fixture(scope="session")
def attempt() -> Callable[[Callable], tuple[object, str]]:
    """What an action returns and the message of its one allowed error: attempt(action)."""
    return _attempt


def _wav(pitch: int, **changes) -> bytes:
    file = io.BytesIO()
    rate = changes.pop("rate", SAMPLE_RATE)
    soundfile.write(file, _tone(pitch, rate=rate, **changes), rate, "PCM_16", format="WAV")
    return file.getvalue()


@pytest.fixture(scope="session")
def wav() -> Callable[..., bytes]:
    """The bytes of a 16-bit WAV file of a tone."""
    return _wav


def _example(name: str, **changes) -> dict:
    instrument, pitch, velocity = name.split("-")
    family, source, _ = instrument.rsplit("_", 2)
    return {
        "note": 1,
        "note_str": name,
        "instrument": 0,
        "instrument_str": instrument,
        "instrument_family": 0,
        "instrument_family_str": family,
        "instrument_source": 0,
        "instrument_source_str": source,
        "pitch": int(pitch),
        "velocity": int(velocity),
        "sample_rate": SAMPLE_RATE,
        "qualities": [0, 1] + [0] * 8,
        "qualities_str": ["dark"],
        **changes,
    }


@pytest.fixture(scope="session")
def example() -> Callable[..., dict]:
    """One value of NSynth's examples.json: example(name, **changes)."""
    return _example


NAMES = (
    *(f"bass_acoustic_000-{note}" for note in ("040-050", "040-100", "041-050")),
    *(f"bass_acoustic_000-{note}" for note in ("041-100", "042-050", "042-100")),
    "bass_electronic_001-040-050",
    "organ_acoustic_002-040-050",
    "synth_lead_synthetic_003-060-127",
)


@pytest.fixture(scope="session")
def names() -> tuple[str, ...]:
    """Ids of the small NSynth: six of its nine notes are acoustic basses."""
    return NAMES


@pytest.fixture(scope="session")
def nsynth(tmp_path_factory) -> Path:
    """A small unpacked split. Read it only."""
    folder = tmp_path_factory.mktemp("source") / "nsynth-train"
    (folder / "audio").mkdir(parents=True)
    for name in NAMES:
        (folder / "audio" / f"{name}.wav").write_bytes(_wav(int(name.split("-")[1])))
    examples = {name: _example(name) for name in NAMES}
    (folder / "examples.json").write_text(json.dumps(examples))
    return folder


def _archive(path: Path, members: list[tuple[str | tarfile.TarInfo, bytes]], mode: str = "w:gz"):
    with tarfile.open(path, mode) as archive:
        for member, content in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture(scope="session")
def archive() -> Callable[..., Path]:
    """Write a tar file of (name or TarInfo, content) pairs: archive(path, members, mode)."""
    return _archive


@pytest.fixture(scope="session")
def members(nsynth) -> list[tuple[str, bytes]]:
    """The members of NSynth's archive, examples.json last."""
    notes = [
        (f"nsynth-train/audio/{name}.wav", (nsynth / "audio" / f"{name}.wav").read_bytes())
        for name in NAMES
    ]
    return [*notes, ("nsynth-train/examples.json", (nsynth / "examples.json").read_bytes())]


@pytest.fixture(scope="session")
def sounds(tmp_path_factory) -> Path:
    """A folder of twelve short notes named by pitch. Read it only."""
    folder = tmp_path_factory.mktemp("sounds")
    for pitch in range(36, 48):
        soundfile.write(folder / f"midi{pitch}.wav", _tone(pitch, seconds=1.0), SAMPLE_RATE)
    return folder


@pytest.fixture
def settings(sounds) -> Callable[..., Settings]:
    """Settings of a data set from `sounds`: settings(**overrides)."""

    def make(**overrides) -> Settings:
        source = {"kind": "folder", "path": str(sounds)}
        return Settings.preset("tiny", **{"data.source": source, **overrides})

    return make


@pytest.fixture(scope="session")
def noise() -> np.ndarray:
    """Three notes of white noise, float32 of shape (3, 64000)."""
    return np.random.default_rng(0).uniform(-0.3, 0.3, (3, NOTE_LENGTH)).astype(np.float32)
