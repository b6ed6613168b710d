import contextlib
import struct

import google_crc32c
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverbsynth.data import tfrecord
from reverbsynth.errors import ReverbSynthError

FLOATS = st.lists(st.floats(width=32, allow_nan=False), max_size=20).map(
    lambda values: np.array(values, np.float32)
)
NAMES = st.text(st.characters(codec="utf-8"), max_size=10)
INTEGERS = st.integers(-(2**63), 2**63 - 1)


def write(path, *payloads):
    path.write_bytes(b"".join(tfrecord.frame(payload) for payload in payloads))
    return path


@given(st.dictionaries(NAMES, st.one_of(FLOATS, INTEGERS, st.binary(max_size=20))))
def test_decode_returns_what_encode_was_given(features):
    decoded = tfrecord.decode(tfrecord.encode(features))
    assert set(decoded) == set(features)
    for name, value in features.items():
        found = decoded[name]
        if isinstance(value, np.ndarray):
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, value)
        elif isinstance(found, str):
            assert found.encode() == value
        else:
            assert found == value


@given(st.lists(st.binary(max_size=200), max_size=5))
@settings(max_examples=50)
def test_read_returns_what_frame_wrote(tmp_path_factory, payloads):
    path = write(tmp_path_factory.mktemp("records") / "some.tfrecord", *payloads)
    assert [payload for _, payload in tfrecord.read(path)] == payloads


def test_read_starts_at_any_offset_it_told(tmp_path):
    path = write(tmp_path / "some.tfrecord", b"one", b"two", b"three")
    for place, (offset, payload) in enumerate(tfrecord.read(path)):
        assert next(tfrecord.read(path, offset)) == (offset, payload)
        assert payload == (b"one", b"two", b"three")[place]


def test_tensorflow_reads_what_we_write_and_we_read_what_it_writes(tmp_path):
    import tensorflow as tf

    audio = np.linspace(-1, 1, 64_000, dtype=np.float32)
    path = write(tmp_path / "ours.tfrecord", tfrecord.encode({"audio": audio, "pitch": 40}))
    (serialized,) = tf.data.TFRecordDataset(str(path))
    parsed = tf.io.parse_single_example(
        serialized, {"audio": tf.io.FixedLenFeature([64_000], tf.float32)}
    )
    np.testing.assert_array_equal(parsed["audio"], audio)

    theirs = tf.train.Example(
        features=tf.train.Features(
            feature={
                "audio": tf.train.Feature(float_list=tf.train.FloatList(value=audio)),
                "pitch": tf.train.Feature(int64_list=tf.train.Int64List(value=[41])),
                "id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"a note"])),
            }
        )
    )
    path = tmp_path / "theirs.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(theirs.SerializeToString())
    ((offset, payload),) = tfrecord.read(path)
    decoded = tfrecord.decode(payload)
    assert offset == 0
    assert decoded["pitch"] == 41
    assert decoded["id"] == "a note"
    np.testing.assert_array_equal(decoded["audio"], audio)


@given(data=st.data())
@settings(max_examples=300)
def test_any_change_to_a_file_is_noticed(tmp_path_factory, data):
    """Every flipped bit and every cut but one between records fails a checksum or the end."""
    payloads = [b"first payload", b"second"]
    content = b"".join(tfrecord.frame(payload) for payload in payloads)
    if data.draw(st.booleans()):
        cut = data.draw(st.integers(1, len(content) - 1).filter(lambda at: at != 29))
        broken = content[:cut]
    else:
        at = data.draw(st.integers(0, len(content) - 1))
        flipped = content[at] ^ 1 << data.draw(st.integers(0, 7))
        broken = content[:at] + bytes([flipped]) + content[at + 1 :]
    path = tmp_path_factory.mktemp("records") / "broken.tfrecord"
    path.write_bytes(broken)
    with pytest.raises(ReverbSynthError, match=r"broken\.tfrecord: record at byte (0|29): "):
        list(tfrecord.read(path))


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_arbitrary_bytes_are_an_error_in_one_line(tmp_path_factory, attempt, content):
    path = tmp_path_factory.mktemp("records") / "arbitrary.tfrecord"
    path.write_bytes(content)
    read, message = attempt(lambda: list(tfrecord.read(path)))
    if read is None:
        assert "\n" not in message
        assert "arbitrary.tfrecord" in message
    else:
        assert b"".join(tfrecord.frame(payload) for _, payload in read) == content


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_arbitrary_payloads_decode_or_are_an_error(content):
    with contextlib.suppress(ValueError):
        assert isinstance(tfrecord.decode(content), dict)


def test_a_length_that_lies_with_a_right_checksum_is_not_believed(tmp_path):
    length = struct.pack("<Q", 2**62)
    crc = google_crc32c.value(length)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    path = tmp_path / "huge.tfrecord"
    path.write_bytes(length + struct.pack("<I", masked) + b"short")
    with pytest.raises(ReverbSynthError, match=f"found {2**62} bytes, expected at most"):
        list(tfrecord.read(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ReverbSynthError, match=r"gone\.tfrecord: cannot be read"):
        list(tfrecord.read(tmp_path / "gone.tfrecord"))
