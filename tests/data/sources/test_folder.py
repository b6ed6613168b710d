import json
import os
import struct
import unicodedata

import numpy as np
import pytest
import soundfile

from reverbsynth.data.build import build_data
from reverbsynth.data.notes import Rejected
from reverbsynth.data.sources.folder import Folder
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
    """Select and read: notes(skip=False, **settings) -> (notes by id, rejected, index)."""

    def select(skip=False, **settings):
        source = Folder(FolderSource(path=tmp_path / "sounds", **settings), 0)
        rejected = Rejected(skip)
        index = source.index(tmp_path, rejected)
        found = {note.id: note for note in source.read(index.entries, tmp_path, rejected)}
        return found, rejected.notes, index

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
    found, _, index = notes()
    assert {id: note.pitch for id, note in found.items()} == {
        "A1.wav": 33,
        "C2.wav": 40,
        "something.wav": 45,
    }
    assert (found["C2.wav"].velocity, found["C2.wav"].instrument) == (99, "upright")
    told_by = {id: row["pitch_from"] for id, row in index.report["pitches"].items()}
    assert told_by == {"A1.wav": "name", "C2.wav": "table", "something.wav": "estimate"}
    assert index.report["pitches"]["something.wav"]["confidence"] > 0.9
    assert index.report["pitches"]["C2.wav"]["told"] == {"table": 40, "name": 36, "estimate": 36}


def add_root_key(path, key):
    """Put a sampler chunk into a WAV file."""
    content = path.read_bytes()
    chunk = struct.pack("<4sI9I", b"smpl", 36, 0, 0, 0, key, 0, 0, 0, 0, 0)
    size = struct.pack("<I", len(content) + len(chunk) - 8)
    path.write_bytes(content[:4] + size + content[8:12] + chunk + content[12:])


def test_the_root_key_in_the_file_comes_before_the_estimate(put, notes):
    for name, pitch, key in (("one.wav", 45, 33), ("two.wav", 47, 35), ("A1.wav", 33, 33)):
        add_root_key(put(name, pitch), key)
    put("three.wav", 50)
    found, _, index = notes()
    assert {n: (found[n].pitch, r["pitch_from"]) for n, r in index.report["pitches"].items()} == {
        "A1.wav": (33, "name"),
        "one.wav": (33, "root key"),
        "three.wav": (50, "estimate"),
        "two.wav": (35, "root key"),
    }
    assert index.notices == [
        "estimate an octave above the root key in 2 of 4 sounds: one.wav (A1, estimate A2), "
        "two.wav (B1, estimate B2)",
        "pitch by estimate alone in 1 of 4 sounds: three.wav (D3)",
    ]
    assert set(notes(pitch_from="root_key", skip=True)[0]) == {"A1.wav", "one.wav", "two.wav"}


def test_a_root_key_that_every_file_has_is_a_default(put, notes):
    for name, pitch in (("one.wav", 45), ("two.wav", 47)):
        add_root_key(put(name, pitch), 60)
    found, _, index = notes()
    assert [note.pitch for note in found.values()] == [45, 47]
    assert index.notices == ["root keys: all 60, taken for a default and not used"]


def test_the_root_key_of_an_aiff(put, notes):
    path = put("one.aiff", 45)
    content = path.read_bytes()
    chunk = struct.pack(">4sI6bh12x", b"INST", 20, 33, 0, 0, 127, 1, 127, 0)
    size = struct.pack(">I", len(content) + len(chunk) - 8)
    path.write_bytes(content[:4] + size + content[8:12] + chunk + content[12:])
    assert notes()[0]["one.aiff"].pitch == 33


def test_counters_are_no_pitches(put, notes, noise, tmp_path):
    """And numbers that may be pitches count where the sound has none."""
    for number in range(1, 5):
        put(f"{number:02d}.wav", 44 + number)
    assert [note.pitch for note in notes()[0].values()] == [45, 46, 47, 48]
    for number in range(1, 5):
        (tmp_path / "sounds" / f"{number:02d}.wav").rename(
            tmp_path / "sounds" / f"{59 + number}.wav"
        )
    soundfile.write(tmp_path / "sounds" / "70.wav", noise[0], 16_000)
    found, _, index = notes()
    assert [note.pitch for note in found.values()] == [45, 46, 47, 48, 70]
    assert index.report["pitches"]["70.wav"]["pitch_from"] == "number in its name"


def test_a_separator_before_the_octave(put, notes):
    put("bass-E-1.wav", 28)
    put("bass-F-1.wav", 29)
    assert [note.pitch for note in notes(pitch_from="name")[0].values()] == [28, 29]
    assert [note.pitch for note in notes()[0].values()] == [28, 29]


def test_a_library_whose_middle_c_is_c3(put, notes):
    for name, pitch in (("C2.wav", 48), ("D2.wav", 50), ("E2v2.wav", 52)):
        put(name, pitch)
    found, _, index = notes()
    assert [note.pitch for note in found.values()] == [36, 38, 40]
    (notice,) = index.notices
    assert notice.startswith("estimate an octave above the name in 3 of 3 sounds: C2.wav (C2, ")
    assert notice.endswith("; where C3 is middle C, set data.source.middle_c=C3")
    found, _, index = notes(middle_c="C3")
    assert [note.pitch for note in found.values()] == [48, 50, 52]
    assert index.notices == []


def test_german_names_as_a_whole(put, notes):
    """B is B♭ where there is an H."""
    for name, pitch in (("B2", 46), ("H2", 47), ("Es3", 51), ("A2", 45)):
        put(f"{name}.wav", pitch, seconds=0.5)
    found, _, index = notes()
    assert [note.pitch for note in found.values()] == [45, 46, 51, 47]
    assert index.notices == ["names: one calls a note H, as in German; so B is B♭"]


def test_velocities_of_layers_words_and_numbers(put, notes, tmp_path):
    for name in ("A1v1.wav", "A1v2.wav", "A1v4.wav", "A1_mf.wav", "A1.wav"):
        put(name, 33, seconds=0.5)
    found = {id: note.velocity for id, note in notes()[0].items()}
    assert found == {"A1.wav": 0, "A1_mf.wav": 80, "A1v1.wav": 32, "A1v2.wav": 64, "A1v4.wav": 127}
    (tmp_path / "sounds" / "A1v4.wav").rename(tmp_path / "sounds" / "A1v100.wav")
    found = {id: note.velocity for id, note in notes()[0].items()}
    assert (found["A1v1.wav"], found["A1v100.wav"]) == (1, 100)


def test_an_instruments_name_does_not_hide_velocities(put, notes):
    for number in (40, 110):
        put(f"Soft Piano A1 v{number}.wav", 33, seconds=0.5)
    assert [note.velocity for note in notes()[0].values()] == [110, 40]


def test_layers_may_count_from_0(put, notes):
    for number in range(4):
        put(f"A1v{number}.wav", 33, seconds=0.5)
    assert [note.velocity for note in notes()[0].values()] == [32, 64, 95, 127]


def test_numbers_that_an_estimate_does_not_bear_out_are_told(put, notes):
    """Where most are as far apart; else they count the sounds."""
    for number in (36, 38, 40, 43):
        put(f"{number}.wav", number + 12, seconds=0.5)
    found, _, index = notes()
    assert [note.pitch for note in found.values()] == [48, 50, 52, 55]
    (told,) = index.notices
    assert told.startswith("number in its name an octave below the estimate in 4 of 4 sounds")


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


def test_a_table_that_is_named_is_read_whatever_tells_the_pitch(put, notes, tmp_path):
    put("A1.wav", 45)
    table = tmp_path / "t.json"
    table.write_text('{"A1.wav": {"pitch": 50, "velocity": 77, "instrument": "pick"}}')
    note = notes(pitch_from="name", table=table)[0]["A1.wav"]
    assert (note.pitch, note.velocity, note.instrument) == (33, 77, "pick")
    with pytest.raises(ReverbSynthError, match=r"none\.csv"):
        notes(pitch_from="name", table=tmp_path / "none.csv")


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


def test_sounds_of_wrong_rows_are_left_out(put, notes, tmp_path):
    """Not used with another pitch than the table's."""
    for name in ("C3.wav", "D3.wav", "E3.wav", "F3.wav"):
        put(name, 45)
    rows = ["file,pitch,velocity", "C3.wav,148,", "D3,C4#,", "E3,40,", "E3,40,", "gone,none,"]
    (tmp_path / "sounds" / "t.csv").write_text("\n".join(rows))
    found, rejected, _ = notes(skip=True)
    assert {name: note.pitch for name, note in found.items()} == {"D3.wav": 61, "F3.wav": 53}
    assert [bad["name"] for bad in rejected] == ["C3.wav", "E3", "gone"]


def test_doubtful_estimates_are_refused_with_their_confidence(put, tone, notes, tmp_path, noise):
    put("sine.wav", 45)
    changing = np.concatenate([tone(pitch, seconds=0.3) for pitch in (40, 45, 47)])
    soundfile.write(tmp_path / "sounds" / "melody.wav", changing, 16_000)
    with pytest.raises(
        ReverbSynthError,
        match=r"melody\.wav: pitch estimated with confidence 0\.\d\d, expected at least 0\.5",
    ):
        notes()
    assert len(notes(confidence=0.0)[0]) == 2
    soundfile.write(tmp_path / "sounds" / "hiss.wav", noise[0], 16_000)
    expected = r"hiss\.wav: nothing tells its pitch, and its sound has none from 21 to 108"
    with pytest.raises(ReverbSynthError, match=expected):
        notes()


def test_pitches_and_count_select(put, notes):
    for pitch in range(40, 50):
        put(f"midi{pitch}.wav", pitch, seconds=0.2)
    found, _, index = notes(pitches=[42, 45])
    assert len(found) == 4
    (notice,) = index.notices
    assert notice.startswith(
        "data.source.pitches: 6 of 10 sounds are not from 42 to 45: midi40.wav"
    )
    assert notes(count=3)[2].notices == ["data.source.count: 3 of 10 notes were drawn"]
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
        with pytest.raises(ReverbSynthError, match=r"B1\.wav: is a link to a file that is not th"):
            notes()
        assert list(notes(skip=True)[0]) == ["A1.wav"]
    else:
        path.chmod(0)
        with pytest.raises(ReverbSynthError, match=r"B1\.wav: cannot be read \(Permission denied"):
            notes()


def test_hidden_files_are_left_alone(put, notes, tmp_path):
    put("A1.wav", 33)
    put("._B1.wav", 35)
    put(".cache/C2.wav", 36)
    (tmp_path / "sounds" / "pitches.csv").write_text("file,pitch\nA1.wav,34\n")
    (tmp_path / "sounds" / "._pitches.csv").write_bytes(bytes(range(256)))
    found, _, index = notes()
    assert {id: note.pitch for id, note in found.items()} == {"A1.wav": 34}
    assert not any("pitches.csv" in notice for notice in index.notices)


def test_what_is_not_read_is_named(put, notes, tmp_path):
    put("A1.wav", 33)
    for name in ("B1.m4a", "cover.jpg", "sub/notes.txt"):
        path = tmp_path / "sounds" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"something")
    found, rejected, index = notes(skip=True)
    assert list(found) == ["A1.wav"]
    assert [(bad["name"], "convert it" in bad["reason"]) for bad in rejected] == [("B1.m4a", True)]
    assert index.notices == ["not sounds: cover.jpg, sub/notes.txt"]


def test_an_unreadable_subfolder_beside_good_files(put, notes, tmp_path, monkeypatch):
    put("A1.wav", 33)
    put("locked/B1.wav", 35)
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found, rejected, _ = notes(skip=True)
    assert list(found) == ["A1.wav"]
    assert rejected[0]["name"] == "locked"
    assert rejected[0]["reason"].endswith("locked: cannot be read (Permission denied)")


def test_linked_folders_are_read_once(put, notes, tmp_path):
    put("A1.wav", 33)
    other = tmp_path / "other"
    other.mkdir()
    put("B1.wav", 35).rename(other / "B1.wav")
    (tmp_path / "sounds" / "linked").symlink_to(other)
    (other / "back").symlink_to(tmp_path / "sounds")
    assert list(notes()[0]) == ["A1.wav", "linked/B1.wav"]


def test_mp3_and_whatever_the_reader_reads(notes, tone, tmp_path):
    (tmp_path / "sounds").mkdir()
    for suffix, form, kind in (("mp3", "MP3", None), ("opus", "OGG", "OPUS"), ("au", "AU", None)):
        path = tmp_path / "sounds" / f"A1.{suffix}"
        soundfile.write(path, tone(33), 16_000, kind, format=form)
    found, rejected, index = notes()
    assert [(note.pitch, rejected) for note in found.values()] == [(33, [])] * 3
    assert {row["told"]["estimate"] for row in index.report["pitches"].values()} == {33}


def test_names_in_any_normal_form_and_bytes_that_are_no_text(put, notes, tmp_path):
    path = put("A1.wav", 33)
    decomposed = unicodedata.normalize("NFD", "süß.wav")
    path.rename(path.with_name(decomposed))
    (path.parent / "t.csv").write_text("file,pitch\nsüß,34\n", encoding="utf-8")
    with open(os.fsencode(path.parent) + b"/caf\xe9 D2.wav", "wb") as file:
        file.write((path.parent / decomposed).read_bytes())
    found, _, _ = notes()
    assert {id: note.pitch for id, note in found.items()} == {"caf\\xe9 D2.wav": 38, "süß.wav": 34}
    assert all(note.id.encode() for note in found.values())


def test_the_onset_is_trimmed_and_the_level_normalized_on_request(put, notes, tone, tmp_path):
    put("A1.wav", 33)
    late = np.concatenate([np.zeros(88_000), 4e-4 * tone(40, seconds=4.0)])
    soundfile.write(tmp_path / "sounds" / "E2.wav", late, 16_000, "FLOAT")
    with pytest.raises(ReverbSynthError, match=r"E2\.wav: audio is silent"):
        notes()
    found = notes(trim_onset=True, normalize=True)[0]["E2.wav"].audio
    assert np.abs(found).max() == pytest.approx(0.9, abs=1e-3)
    assert np.argmax(np.abs(found) > 0.09) < 100
    # 5 ms are kept before the onset, the tone's second sample: its first is 0.
    np.testing.assert_allclose(found[79:16_000], 1.8 * tone(40)[: 16_000 - 79], atol=0.01)


def test_a_folder_whose_name_is_no_text(put, tmp_path):
    put("A1.wav", 33)
    put("B1.wav", 35)
    put("C2.wav", 36)
    name = os.fsdecode(b"Kl\xe4nge")
    source = {"kind": "folder", "path": str((tmp_path / "sounds").rename(tmp_path / name))}
    settings = Settings.preset("tiny", **{"data.source": source})
    data = build_data(settings, tmp_path / os.fsdecode(b"\xe4"))
    assert data.vocabulary("instrument") == ["Kl\\xe4nge"]


@pytest.mark.parametrize(
    "name", ["~samples", "a\u3000b", 'it\'s "so"', "back\\slash", "👩\u200d🎤"]
)
def test_folders_of_any_name(name, put, tmp_path):
    put("A1.wav", 33)
    folder = (tmp_path / "sounds").rename(tmp_path / name)
    source = Folder(FolderSource(path=folder), 0)
    assert [entry.pitch for entry in source.index(tmp_path, Rejected(False)).entries] == [33]


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
