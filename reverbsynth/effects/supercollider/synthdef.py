"""Compiled SynthDefs: reading their names and controls (file format SCgf, version 2)."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path

from reverbsynth.errors import DataError
from reverbsynth.files.reading import reading

LARGEST = 2**20  # Bytes of the largest compiled SynthDef that is read.


@dataclass(frozen=True)
class SynthDef:
    """A compiled SynthDef: its name, how many values each control takes, and the file itself."""

    name: str
    controls: dict[str, int]
    content: bytes

    @classmethod
    def load(cls, path: Path | str) -> "SynthDef":
        """Read the (first) SynthDef of a ``.scsyndef`` file; a `DataError` where there is none."""
        with reading(path), open(path, "rb") as file:
            content = file.read(LARGEST + 1)
        try:
            return cls._parsed(content)
        except (struct.error, UnicodeDecodeError, ValueError) as error:
            raise DataError(f"{path}: not a compiled SynthDef of format SCgf 2 ({error})") from None

    @classmethod
    def shipped(cls, name: str) -> "SynthDef":
        """One of the SynthDefs of this folder."""
        return cls.load(Path(__file__).parent / f"{name}.scsyndef")

    @classmethod
    def _parsed(cls, content: bytes) -> "SynthDef":
        """Big-endian values, one after another; strings are preceded by their length."""
        if len(content) > LARGEST:
            raise ValueError(f"longer than {LARGEST} bytes")
        file = io.BytesIO(content)

        def read(form: str) -> tuple:
            return struct.unpack(f">{form}", file.read(struct.calcsize(f">{form}")))

        def string() -> str:
            return read(f"{read('B')[0]}s")[0].decode("ascii")

        def floats() -> int:
            (count,) = read("i")
            if not 0 <= count <= (len(content) - file.tell()) // 4:
                raise ValueError(f"found a count of {count}")
            file.seek(4 * count, io.SEEK_CUR)
            return count

        magic, version, count = read("4sih")
        if magic != b"SCgf" or version != 2 or count < 1:
            raise ValueError(f"starts with {content[:8].hex(' ')}")
        name = string()
        floats()  # constants
        parameters = floats()
        (names,) = read("i")
        starts = sorted(((string(), *read("i")) for _ in range(names)), key=lambda pair: pair[1])
        ends = [start for _, start in starts[1:]] + [parameters]
        pairs = zip(starts, ends, strict=True)
        controls = {control: end - start for (control, start), end in pairs}
        if not name or any(size < 1 for size in controls.values()):
            raise ValueError("its controls do not fit its parameters")
        return cls(name, controls, content)
