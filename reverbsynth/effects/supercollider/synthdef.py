"""Compiled SynthDefs: reading their names and controls (file format SCgf, version 2)."""

import struct
from dataclasses import dataclass
from pathlib import Path

from reverbsynth.errors import ReverbSynthError

LARGEST = 2**20
"""Bytes of the largest compiled SynthDef that is read."""


@dataclass(frozen=True)
class SynthDef:
    """A compiled SynthDef, as far as one must know it to play it.

    Attributes
    ----------
    name
        What scsynth calls it.
    controls
        Number of values each named control takes.
    content
        The file's bytes.
    """

    name: str
    controls: dict[str, int]
    content: bytes

    @classmethod
    def load(cls, path: Path | str) -> "SynthDef":
        """The SynthDef in a ``.scsyndef`` file (the first one, where there are several).

        Raises
        ------
        ReverbSynthError
            When the file cannot be read or is no compiled SynthDef of version 2.
        """
        try:
            with open(path, "rb") as file:
                content = file.read(LARGEST + 1)
        except OSError as error:
            raise ReverbSynthError(f"{path}: cannot be read ({error.strerror or error})") from None
        try:
            return cls._parsed(content)
        except (struct.error, UnicodeDecodeError, ValueError) as error:
            raise ReverbSynthError(
                f"{path}: not a compiled SynthDef of format SCgf 2 ({error})"
            ) from None

    @classmethod
    def shipped(cls, name: str) -> "SynthDef":
        """One of the SynthDefs of this folder."""
        return cls.load(Path(__file__).parent / f"{name}.scsyndef")

    @classmethod
    def _parsed(cls, content: bytes) -> "SynthDef":
        if len(content) > LARGEST:
            raise ValueError(f"longer than {LARGEST} bytes")
        reader = _Reader(content)
        magic, version, count = reader.unpack("4sih")
        if magic != b"SCgf" or version != 2 or count < 1:
            raise ValueError(f"starts with {content[:8].hex(' ')}")
        name = reader.string()
        (constants,) = reader.unpack("i")
        reader.skip(4, constants)
        (parameters,) = reader.unpack("i")
        reader.skip(4, parameters)
        (names,) = reader.unpack("i")
        starts = sorted((reader.string(), *reader.unpack("i")) for _ in range(names))
        starts = sorted(starts, key=lambda pair: pair[1])
        ends = [start for _, start in starts[1:]] + [parameters]
        controls = {
            control: end - start for (control, start), end in zip(starts, ends, strict=True)
        }
        if not name or any(size < 1 for size in controls.values()):
            raise ValueError("its controls do not fit its parameters")
        return cls(name, controls, content)


class _Reader:
    """Big-endian values, one after another; never past the end."""

    def __init__(self, content: bytes):
        self.content = content
        self.offset = 0

    def unpack(self, form: str) -> tuple:
        values = struct.unpack_from(f">{form}", self.content, self.offset)
        self.offset += struct.calcsize(f">{form}")
        return values

    def string(self) -> str:
        (length,) = self.unpack("B")
        (text,) = self.unpack(f"{length}s")
        return text.decode("ascii")

    def skip(self, size: int, count: int) -> None:
        if not 0 <= count <= (len(self.content) - self.offset) // size:
            raise ValueError(f"found a count of {count}")
        self.offset += size * count
