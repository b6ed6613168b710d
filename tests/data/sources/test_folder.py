import json
import os

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reverbsynth.data.build import build_data
from reverbsynth.data.notes import Rejected
from reverbsynth.data.sources.folder import Folder, read_table
from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import FolderSource, Settings


@pytest.fixture
def put(tmp_path, tone):
    """Write a tone below the folder: put(name, pitch, seconds=1, rate=16000)."""

    def write(name, pitch, seconds=1.0, rate=16_000):
        path = tmp_path / "sounds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(pitch, seconds=seconds, rate=rate), rate)
        return path

    return write


@pytest.fixture
def notes(tmp_path):
    """Select and read: notes(skip=False, **settings) -> (notes by id, rejected, report)."""

    def select(skip=False, **settings):
        source = Folder(FolderSource(path=tmp_path / "sounds", **settings), 0)
        rejected = Rejected(skip)
        index = source.index(tmp_path, rejected)
        found = {note.id: note for note in source.read(index.entries, tmp_path, rejected)}
        return found, rejected.notes, index.report

    return select


def test_formats_rates_and_subfolders(put, notes):
    put("A1.wav", 33)
    put("pick/E2.flac", 40, rate=44_100)
    put("pick/loud/G2.ogg", 43, seconds=5.0, rate=48_000)
    put("D2.aiff", 38, rate=22_050)
    found, _, _ = notes()
    assert {id: note.pitch for id, note in found.items()} == {
        "A1.wav": 33,
        "D2.aiff": 38,
        "pick/E2.flac": 40,
        "pick/loud/G2.ogg": 43,
    }
    assert {note.instrument for note in found.values()} == {"sounds", "pick", "pick/loud"}
    assert all(note.audio.shape == (64_000,) for note in found.values())
    assert not found["A1.wav"].audio[16_000:].any()
    assert found["pick/loud/G2.ogg"].audio[60_000:].any()


def test_the_table_then_the_name_then_the_estimate(put, notes, tmp_path):
    put("C2.wav", 36)
    put("A1.wav", 33)
    put("something.wav", 45)
    (tmp_path / "sounds" / "notes.csv").write_text(
        "file,pitch,velocity,instrument\nC2.wav,40,99,upright\n"
    )
    found, _, report = notes()
    assert {id: note.pitch for id, note in found.items()} == {
        "A1.wav": 33,
        "C2.wav": 40,
        "something.wav": 45,
    }
    assert (found["C2.wav"].velocity, found["C2.wav"].instrument) == (99, "upright")
    told_by = {id: row["pitch_from"] for id, row in report["pitches"].items()}
    assert told_by == {"A1.wav": "name", "C2.wav": "table", "something.wav": "estimate"}
    assert report["pitches"]["something.wav"]["confidence"] > 0.9
    assert report["pitches"]["A1.wav"]["confidence"] is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "\ufefffile,pitch\na.wav,40\nb.wav,E2\n"),
        ("t.csv", "pitch, File ,extra\n40,a.wav,x\n40,./b.wav,y\n"),
        ("t.json", '{"a.wav": 40, "b.wav": {"pitch": 40.0, "velocity": 0}}'),
        ("t.json", '[{"file": "a.wav", "pitch": "40"}, {"file": "b.wav", "pitch": "E2"}]'),
    ],
)
def test_tables_in_every_shape(name, content, tmp_path):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    table = read_table(path)
    assert {file: row["pitch"] for file, row in table.items()} == {"a.wav": 40, "b.wav": 40}
    assert {row["velocity"] for row in table.values()} == {0}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "its header is '', expected file,pitch"),
        ("t.csv", "name,note\na,1\n", "its header is 'name,note'"),
        ("t.csv", "file,pitch\na.wav,high\n", "row 1: pitch is 'high', expected 0 to 127"),
        ("t.csv", "file,pitch\na.wav\n", "row 1: pitch is '', expected 0 to 127"),
        ("t.csv", "file,pitch\na.wav,40\na.wav,41\n", "row 2: file a.wav occurs more than once"),
        ("t.csv", "file,pitch,velocity\na.wav,40,128\n", "row 1: velocity is '128'"),
        ("t.json", "[1]", "expected a list of rows"),
        ("t.json", '{"a.wav": 1.5}', "row 1: pitch is 1.5"),
        ("t.json", '{"a.wav": true}', "row 1: pitch is True"),
        ("t.json", "{", "not a table of pitches"),
        ("t.json", '[{"pitch": 4}]', "row 1: file is None"),
    ],
)
def test_broken_tables_name_the_row(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ReverbSynthError, match=f"{name}: .*{message}"):
        read_table(path)


@given(st.sampled_from([".csv", ".json"]), st.binary(max_size=80) | st.text(max_size=80))
@hypothesis_settings(max_examples=200)
def test_arbitrary_tables_are_read_or_one_line(tmp_path_factory, attempt, suffix, content):
    path = tmp_path_factory.mktemp("tables") / f"t{suffix}"
    content = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    path.write_bytes(b"file,pitch\n" * (suffix == ".csv") + content)
    table, message = attempt(lambda: read_table(path))
    assert "\n" not in message
    assert table is not None or f"t{suffix}: " in message
    assert all(0 <= row["pitch"] <= 127 for row in (table or {}).values())


def test_a_wanted_way_is_the_only_one(put, notes, tmp_path):
    put("A1.wav", 45)
    assert notes(pitch_from="estimate")[0]["A1.wav"].pitch == 45
    assert notes(pitch_from="name")[0]["A1.wav"].pitch == 33
    with pytest.raises(ReverbSynthError, match=r"holds no \.csv or \.json table"):
        notes(pitch_from="table")
    put("thing.wav", 45)
    with pytest.raises(ReverbSynthError, match=r"thing\.wav: its name tells no one pitch"):
        notes(pitch_from="name")
    (tmp_path / "sounds" / "t.json").write_text('{"A1.wav": 50}')
    with pytest.raises(ReverbSynthError, match=r"t\.json: tells no pitch for thing\.wav"):
        notes(pitch_from="table")


def test_a_table_elsewhere_and_several_tables(put, notes, tmp_path):
    put("A1.wav", 45)
    (tmp_path / "other.json").write_text('{"A1.wav": 50}')
    assert notes(table=tmp_path / "other.json")[0]["A1.wav"].pitch == 50
    for name in ("a.csv", "b.json"):
        (tmp_path / "sounds" / name).write_text("{}")
    with pytest.raises(ReverbSynthError, match=r"holds 2 tables \(a\.csv, b\.json"):
        notes()


def test_a_data_sets_manifest_is_no_table(put, notes, tmp_path):
    put("A1.wav", 45)
    manifest = tmp_path / "sounds" / "manifest.json"
    manifest.write_text('{"A1.wav": 50}')
    assert notes()[0]["A1.wav"].pitch == 50
    (tmp_path / "sounds" / "train.tfrecord").touch()
    assert notes()[0]["A1.wav"].pitch == 33


def test_a_table_of_sounds_that_are_not_there(put, notes, tmp_path):
    put("A1.wav", 45)
    (tmp_path / "sounds" / "t.json").write_text('{"A1.wav": 50, "gone.wav": 51}')
    with pytest.raises(ReverbSynthError, match=r"t\.json: file gone\.wav: not found"):
        notes()
    assert list(notes(skip=True)[0]) == ["A1.wav"]


def test_doubtful_estimates_are_refused_with_their_confidence(notes, tmp_path, noise):
    (tmp_path / "sounds").mkdir()
    soundfile.write(tmp_path / "sounds" / "hiss.wav", noise[0], 16_000)
    expected = r"hiss\.wav: pitch estimated with confidence 0\.\d\d, expected at least 0\.5"
    with pytest.raises(ReverbSynthError, match=expected):
        notes()
    assert len(notes(confidence=0.0)[0]) == 1


def test_pitches_and_count_select(put, notes):
    for pitch in range(40, 50):
        put(f"midi{pitch}.wav", pitch, seconds=0.2)
    assert len(notes(pitches=[42, 45])[0]) == 4
    drawn = list(notes(count=3)[0])
    assert len(drawn) == 3
    assert drawn == list(notes(count=3)[0])
    with pytest.raises(ReverbSynthError, match="no sound has a pitch from 90 to 99"):
        notes(pitches=[90, 99])


def test_broken_sounds_are_errors_or_left_out(put, notes, tmp_path):
    put("A1.wav", 33)
    (tmp_path / "sounds" / "B1.wav").write_bytes(b"RIFF, but no more")
    soundfile.write(tmp_path / "sounds" / "C2.wav", np.zeros(1000), 16_000)
    with pytest.raises(ReverbSynthError, match=r"B1\.wav: not a readable sound file"):
        notes()
    found, rejected, _ = notes(skip=True)
    assert list(found) == ["A1.wav"]
    assert [bad["name"] for bad in rejected] == ["B1.wav", "C2.wav"]
    assert "silent" in rejected[1]["reason"]


def test_an_unreadable_file(put, notes, monkeypatch):
    put("A1.wav", 33)
    path = put("B1.wav", 35)
    if os.geteuid() == 0:
        # Root may read anything: a folder in the file's place cannot be read by anyone.
        path.unlink()
        path.symlink_to(path.parent / "gone.wav")
        assert list(notes()[0]) == ["A1.wav"]
    else:
        path.chmod(0)
        with pytest.raises(ReverbSynthError, match=r"B1\.wav: cannot be read \(Permission denied"):
            notes()


def test_hidden_files_are_left_alone(put, notes):
    put("A1.wav", 33)
    put("._B1.wav", 35)
    put(".cache/C2.wav", 36)
    assert list(notes()[0]) == ["A1.wav"]


def test_empty_missing_and_wrong_folders(notes, tmp_path):
    with pytest.raises(ReverbSynthError, match="sounds: not found, expected a folder of"):
        notes()
    (tmp_path / "sounds").mkdir()
    with pytest.raises(ReverbSynthError, match="sounds: holds no sounds, expected"):
        notes()
    with pytest.raises(ReverbSynthError, match="not set, expected a folder of"):
        Folder(FolderSource(), 0)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ReverbSynthError, match="file: is a file, expected a folder"):
        Folder(FolderSource(path=file), 0)


def test_a_build_reports_its_pitches(put, tmp_path):
    for pitch in (40, 41, 42):
        put(f"sound{pitch - 40}x.wav", pitch)
    source = {"kind": "folder", "path": str(tmp_path / "sounds")}
    data = build_data(Settings.preset("tiny", **{"data.source": source}), tmp_path / "data")
    assert data.vocabulary("pitch") == [40, 41, 42]
    assert len(data.manifest["report"]["pitches"]) == 3
    assert json.dumps(data.manifest["skipped"]) == "[]"
