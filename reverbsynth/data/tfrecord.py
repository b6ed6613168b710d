"""TFRecord files and the ``tf.train.Example`` messages in them, without TensorFlow.

A record is its length (uint64, little-endian), a masked CRC-32C of those eight bytes, the payload,
and a masked CRC-32C of the payload.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import google_crc32c
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import DecodeError

from reverbsynth.errors import DataError
from reverbsynth.files.reading import reading

LARGEST_RECORD = 64 * 2**20  # Bytes. A note takes 256 kB; a longer record is not read.
Value = str | bytes | int | np.ndarray

# In a pool of its own, so that TensorFlow's copy of the schema can live in the same process.
_SCHEMA = Path(__file__).with_name("example.textproto").read_text(encoding="utf-8")
_pool = descriptor_pool.DescriptorPool()
_pool.Add(text_format.Parse(_SCHEMA, descriptor_pb2.FileDescriptorProto()))
_Example, _BytesList = (
    message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"tensorflow.{name}"))
    for name in ("Example", "BytesList")
)


def frame(payload: bytes) -> bytes:
    """A payload as one record of a TFRecord file."""
    length = struct.pack("<Q", len(payload))
    return length + _checksum(length) + payload + _checksum(payload)


def read(path: Path, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """The byte offset and payload of each record, in order, from a byte offset on."""
    with reading(path), open(path, "rb") as file:
        file.seek(offset)
        yield from read_stream(file, str(path), offset)


def read_stream(file: IO[bytes], name: str, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Read records as `read` does, from an open file that errors call ``name``."""
    while header := file.read(12):
        payload = _payload(file, f"{name}: record at byte {offset}", header)
        yield offset, payload
        offset += len(payload) + 16


def encode(features: Mapping[str, Value]) -> bytes:
    """Serialize features as a ``tf.train.Example``; equal features give equal bytes."""
    example = _Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, np.ndarray):
            # Packed floats look as one byte string does, which is ten times as fast to add.
            packed = _BytesList(value=[value.astype("<f4").tobytes()])
            feature.float_list.MergeFromString(packed.SerializeToString())
        elif isinstance(value, str | bytes):
            feature.bytes_list.value.append(value.encode() if isinstance(value, str) else value)
        else:
            feature.int64_list.value.append(value)
    return example.SerializeToString(deterministic=True)


def decode(payload: bytes) -> dict[str, Any]:
    """The features of a serialized ``tf.train.Example``; a ValueError where it is none.

    Floats come as a float32 array; integers and texts alone where there is one, else as a list.
    Bytes that are not UTF-8 stay bytes.
    """
    try:
        example = _Example.FromString(payload)
    except DecodeError:
        raise ValueError("not a tf.train.Example") from None
    features: dict[str, Any] = {}
    for name, feature in example.features.feature.items():
        if kind := feature.WhichOneof("kind"):
            values = getattr(feature, kind).value
            if kind == "float_list":
                features[name] = np.array(values, np.float32)
            else:
                plain = [_text(value) if kind == "bytes_list" else value for value in values]
                features[name] = plain[0] if len(plain) == 1 else plain
    return features


def floats(features: Mapping[str, Any], name: str) -> np.ndarray:
    """A feature of floats, float32 [shape=(n,)]; a ValueError where there is none."""
    values = features.get(name)
    if not isinstance(values, np.ndarray):
        raise ValueError(f"{name} is missing, expected floats")
    return values


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _payload(file: IO[bytes], place: str, header: bytes) -> bytes:
    if len(header) < 12:
        raise DataError(f"{place}: the file ends within it")
    if _checksum(header[:8]) != header[8:]:
        zipped = header[:2] == b"\x1f\x8b"
        reason = "compressed with gzip; unpack it first" if zipped else "not a TFRecord file?"
        raise DataError(f"{place}: its length fails the checksum ({reason})")
    (length,) = struct.unpack("<Q", header[:8])
    if length > LARGEST_RECORD:
        expected = f"expected at most {LARGEST_RECORD} for a note"
        raise DataError(f"{place}: found {length} bytes, {expected}")
    payload, checksum = file.read(length), file.read(4)
    if len(checksum) < 4:
        raise DataError(f"{place}: the file ends within it")
    if _checksum(payload) != checksum:
        raise DataError(f"{place}: its content fails the checksum")
    return payload


def _checksum(content: bytes) -> bytes:
    crc = google_crc32c.value(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
