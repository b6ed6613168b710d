"""TFRecord files and the ``tf.train.Example`` messages in them, without TensorFlow.

A record is its length (uint64, little-endian), a masked CRC-32C of those eight bytes, the payload,
and a masked CRC-32C of the payload. The schema of ``Example`` is declared here in a pool of its
own, so that TensorFlow's copy of it can live in the same process.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import google_crc32c
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from reverbsynth.errors import ReverbSynthError

LARGEST_RECORD = 64 * 2**20
"""Bytes. A note takes 256 kB; a longer record than this is not one, whatever its length says."""

Value = str | bytes | int | float | list | np.ndarray


def frame(payload: bytes) -> bytes:
    """``payload`` as one record of a TFRecord file."""
    length = struct.pack("<Q", len(payload))
    return length + _checksum(length) + payload + _checksum(payload)


def read(path: Path, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Each record's byte offset and payload, in order, from ``offset`` on.

    Raises
    ------
    ReverbSynthError
        When the file cannot be read, ends within a record, or fails a checksum.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            yield from read_stream(file, str(path), offset)
    except OSError as error:
        raise ReverbSynthError(f"{path}: cannot be read ({error.strerror or error})") from None


def read_stream(file: BinaryIO, name: str, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """As `read`, from an open file that errors call ``name``."""
    while header := file.read(12):
        payload = _payload(file, f"{name}: record at byte {offset}", header)
        yield offset, payload
        offset += len(payload) + 16


def encode(features: Mapping[str, Value]) -> bytes:
    """A serialized ``tf.train.Example``; equal features give equal bytes."""
    example = _Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, np.ndarray):
            feature.float_list.MergeFromString(_packed(value))
        elif isinstance(value, str | bytes):
            feature.bytes_list.value.append(value.encode() if isinstance(value, str) else value)
        else:
            feature.int64_list.value.append(value)
    return example.SerializeToString(deterministic=True)


def decode(payload: bytes) -> dict[str, list | np.ndarray]:
    """The features of a serialized ``tf.train.Example``.

    Floats come as a float32 array, integers as a list of int, byte strings as a list of bytes.

    Raises
    ------
    ValueError
        When ``payload`` is not such a message.
    """
    try:
        example = _Example.FromString(payload)
    except DecodeError:
        raise ValueError("not a tf.train.Example") from None
    features: dict[str, list | np.ndarray] = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        if kind == "float_list":
            features[name] = np.array(feature.float_list.value, np.float32)
        elif kind is not None:
            features[name] = list(getattr(feature, kind).value)
    return features


def _payload(file: BinaryIO, place: str, header: bytes) -> bytes:
    if len(header) < 12:
        raise ReverbSynthError(f"{place}: the file ends within it")
    if _checksum(header[:8]) != header[8:]:
        raise ReverbSynthError(f"{place}: its length fails the checksum (not a TFRecord file?)")
    (length,) = struct.unpack("<Q", header[:8])
    if length > LARGEST_RECORD:
        raise ReverbSynthError(
            f"{place}: found {length} bytes, expected at most {LARGEST_RECORD} for a note"
        )
    payload, checksum = file.read(length), file.read(4)
    if len(checksum) < 4:
        raise ReverbSynthError(f"{place}: the file ends within it")
    if _checksum(payload) != checksum:
        raise ReverbSynthError(f"{place}: its content fails the checksum")
    return payload


def _checksum(content: bytes) -> bytes:
    crc = google_crc32c.value(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _packed(values: np.ndarray) -> bytes:
    """A serialized FloatList: its tag, its length in bytes as a varint, and the floats as they are.

    Forty times as fast as handing the floats over one by one.
    """
    floats = values.astype("<f4").tobytes()
    length, varint = len(floats), bytearray()
    while length > 0x7F:
        varint.append(length & 0x7F | 0x80)
        length >>= 7
    varint.append(length)
    return b"\x0a" + bytes(varint) + floats


def _example_class():
    """The message class of ``tf.train.Example``, as tensorflow/core/example/*.proto define it."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="example.proto", package="tensorflow", syntax="proto3"
    )
    for name, kind in (
        ("BytesList", field.TYPE_BYTES),
        ("FloatList", field.TYPE_FLOAT),
        ("Int64List", field.TYPE_INT64),
    ):
        message = file.message_type.add(name=name)
        message.field.add(name="value", number=1, type=kind, label=field.LABEL_REPEATED)

    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("bytes_list", "float_list", "int64_list"), start=1):
        feature.field.add(
            name=name,
            number=number,
            type=field.TYPE_MESSAGE,
            type_name=".tensorflow." + name.replace("_", " ").title().replace(" ", ""),
            label=field.LABEL_OPTIONAL,
            oneof_index=0,
        )

    features = file.message_type.add(name="Features")
    pair = features.nested_type.add(name="FeatureEntry")
    pair.options.map_entry = True
    pair.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    pair.field.add(
        name="value",
        number=2,
        type=field.TYPE_MESSAGE,
        type_name=".tensorflow.Feature",
        label=field.LABEL_OPTIONAL,
    )
    features.field.add(
        name="feature",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=".tensorflow.Features.FeatureEntry",
        label=field.LABEL_REPEATED,
    )

    example = file.message_type.add(name="Example")
    example.field.add(
        name="features",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=".tensorflow.Features",
        label=field.LABEL_OPTIONAL,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


_Example = _example_class()
