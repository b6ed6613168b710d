import json
import shutil
from functools import reduce
from operator import getitem

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reverbsynth.data import tfrecord
from reverbsynth.data.build import build_data
from reverbsynth.data.dataset import DataSet, compact, decode_note, read_notes
from reverbsynth.data.notes import METADATA
from reverbsynth.errors import ReverbSynthError


@pytest.fixture(scope="module")
def built(sounds, tmp_path_factory):
    """A data set of twelve notes and their twins. Read it only."""
    from reverbsynth.settings import Settings

    source = {"kind": "folder", "path": str(sounds)}
    directory = tmp_path_factory.mktemp("built") / "data"
    return build_data(Settings.preset("tiny", **{"data.source": source}), directory)


@pytest.fixture
def copied(built, tmp_path):
    """A copy of it, to be broken."""
    return shutil.copytree(built.directory, tmp_path / "copied")


def test_the_paper_reader_reads_our_files(built):
    """REFERENCE.md's feature description, parsed by TensorFlow itself."""
    import tensorflow as tf

    paper = {
        "audio": tf.io.FixedLenFeature([64_000], tf.float32),
        "pitch": tf.io.FixedLenFeature([1], tf.int64),
    }
    for split in built.splits:
        records = tf.data.TFRecordDataset(str(built.path(split)))
        parsed = [tf.io.parse_single_example(record, paper) for record in records]
        assert len(parsed) == built.count(split) > 0
        for found, note in zip(parsed, built.notes(split), strict=True):
            np.testing.assert_array_equal(found["audio"], note.audio)
            assert found["pitch"].numpy().tolist() == [note.pitch]


def test_we_read_files_as_the_paper_wrote_them(tmp_path, tone):
    import tensorflow as tf

    path = tmp_path / "train.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for pitch in (40, 41):
            feature = {
                "audio": tf.train.Feature(float_list=tf.train.FloatList(value=tone(pitch))),
                "pitch": tf.train.Feature(int64_list=tf.train.Int64List(value=[pitch])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    notes = list(read_notes(path))
    assert [note.pitch for note in notes] == [40, 41]
    assert [note.id for note in notes] == ["train-000000", "train-000001"]
    unknown = (0, "unknown", "dry")
    assert {(note.velocity, note.instrument, note.effect) for note in notes} == {unknown}
    np.testing.assert_array_equal(notes[1].audio, tone(41))


def test_notes_come_in_the_order_of_the_index(built):
    for split in built.splits:
        index = built.index(split)
        assert len(index) == built.count(split)
        assert [note.metadata for note in built.notes(split)] == index
        assert all(tuple(row) == METADATA for row in index)


def test_a_note_and_its_twin_share_a_split(built):
    origins = [{row["origin"] for row in built.index(split)} for split in built.splits]
    assert sum(map(len, origins)) == len(set.union(*origins)) == 12
    for split in built.splits:
        effects = [row["effect"] for row in built.index(split)]
        assert effects == ["dry", "reverb"] * (len(effects) // 2)


def test_vocabulary(built):
    assert built.vocabulary("pitch") == list(range(36, 48))
    assert built.vocabulary("effect") == ["dry", "reverb"]
    assert len(built.vocabulary("instrument")) == 1
    with pytest.raises(ReverbSynthError, match="label 'colour': no such label"):
        built.vocabulary("colour")


def test_vocabulary_of_pitches_has_no_gaps(copied):
    manifest = json.loads((copied / "manifest.json").read_text())
    pitches = manifest["index"]["train"]["pitch"]
    manifest["index"]["train"]["pitch"] = [20, *pitches[1:]]
    (copied / "manifest.json").write_text(json.dumps(manifest))
    assert DataSet.open(copied).vocabulary("pitch") == list(range(20, 48))


def test_sha256_names_the_content(built, copied):
    assert DataSet.open(copied).sha256 == built.sha256
    assert len(built.sha256) == 64


def test_a_folder_without_a_data_set(tmp_path):
    with pytest.raises(ReverbSynthError, match="holds no data set"):
        DataSet.open(tmp_path)


def test_a_truncated_or_missing_file(copied):
    path = copied / "train.tfrecord"
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(ReverbSynthError, match=r"train\.tfrecord: found \d+ bytes, expected \d+"):
        DataSet.open(copied)
    path.unlink()
    with pytest.raises(ReverbSynthError, match=r"train\.tfrecord: missing"):
        DataSet.open(copied)


def test_an_unknown_split(built):
    with pytest.raises(ReverbSynthError, match="split 'dev'"):
        built.count("dev")


@pytest.mark.parametrize("entry", ["inputs", "settings", "report", "files/train.tfrecord/sha256"])
def test_a_manifest_with_a_gap(copied, entry):
    manifest = json.loads((copied / "manifest.json").read_text())
    *parents, name = entry.split("/")
    del reduce(getitem, parents, manifest)[name]
    (copied / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ReverbSynthError, match=r"manifest\.json: not a whole manifest"):
        DataSet.open(copied)


@given(data=st.data())
@hypothesis_settings(max_examples=200, deadline=None)
def test_a_broken_manifest_is_one_line(built, tmp_path_factory, attempt, data):
    """Cuts, flipped bytes, and values of the wrong kind at the top or in the index."""
    text = (built.directory / "manifest.json").read_bytes()
    way = data.draw(st.sampled_from(["cut", "flip", "drop", "replace"]))
    if way == "cut":
        text = text[: data.draw(st.integers(0, len(text) - 3))]
    elif way == "flip":
        at = data.draw(st.integers(0, len(text) - 1))
        text = text[:at] + bytes([data.draw(st.integers(0, 255))]) + text[at + 1 :]
    else:
        manifest = json.loads(text)
        target = data.draw(
            st.sampled_from(
                [manifest, manifest["files"], manifest["index"], manifest["index"]["train"]]
            )
        )
        key = data.draw(st.sampled_from(sorted(target)))
        if way == "drop":
            del target[key]
        else:
            target[key] = data.draw(
                st.one_of(st.none(), st.integers(), st.just([]), st.just({}), st.just("x"))
            )
        text = json.dumps(manifest).encode()
    broken = tmp_path_factory.mktemp("broken")
    for split in built.splits:
        (broken / f"{split}.tfrecord").symlink_to(built.path(split))
    (broken / "manifest.json").write_bytes(text)
    opened, message = attempt(lambda: DataSet.open(broken))
    if opened is None:
        assert "\n" not in message
        assert str(broken) in message
    else:
        for split in opened.splits:
            assert len(opened.index(split)) == opened.count(split)
        for label in ("pitch", "effect"):
            assert isinstance(opened.vocabulary(label), list)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"audio": np.zeros(10, np.float32)}, "shape"),
        ({"audio": 3}, "audio is missing"),
        ({"audio": np.full(64_000, np.nan, np.float32)}, "NaN"),
        ({"pitch": 128}, "pitch is 128, expected 0 to 127"),
        ({"pitch": b"40"}, "pitch is '40', expected one integer"),
        ({"id": b"\xff"}, r"id is b'.xff', expected one string"),
        ({"effect": 3}, "effect is 3, expected one string"),
    ],
)
def test_a_record_that_is_no_note_names_the_field(tone, change, problem):
    features = {"audio": tone(40), "pitch": 40, "id": "a", **change}
    with pytest.raises(ValueError, match=problem):
        decode_note(tfrecord.encode(features), "name")


def test_a_bad_record_names_the_file(tmp_path, tone):
    path = tmp_path / "some.tfrecord"
    good = tfrecord.frame(tfrecord.encode({"audio": tone(40), "pitch": 40}))
    path.write_bytes(good + tfrecord.frame(tfrecord.encode({"audio": tone(41)})))
    notes = read_notes(path)
    assert next(notes).pitch == 40
    expected = rf"some\.tfrecord: record at byte {len(good)}: pitch is missing"
    with pytest.raises(ReverbSynthError, match=expected):
        next(notes)


def test_a_large_index_stays_small(tmp_path):
    """70,000 notes and their twins: the columns take about 3 MB."""
    notes = [
        {
            "id": f"bass_acoustic_{number // 500:03d}-{number % 128:03d}-100-{number}/{effect}",
            "origin": f"bass_acoustic_{number // 500:03d}-{number % 128:03d}-100-{number}",
            "pitch": number % 128,
            "velocity": 100,
            "instrument": f"bass_acoustic_{number // 500:03d}",
            "effect": effect,
        }
        for number in range(70_000)
        for effect in ("dry", "reverb")
    ]
    assert len(json.dumps(compact(notes))) < 12e6
