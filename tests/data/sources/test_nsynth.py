"""NSynth in each of its forms gives the same notes; broken forms are one line each."""

import gzip
import json
import shutil
import tarfile
import zipfile

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reverbsynth.data import tfrecord
from reverbsynth.data.build import build_data
from reverbsynth.data.notes import Rejected
from reverbsynth.data.sources.nsynth import NSynth
from reverbsynth.data.sources.nsynth_metadata import QUALITIES, from_name
from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import NSynthSource, Settings

BASSES = [
    f"bass_acoustic_000-{pitch:03d}-{velocity:03d}"
    for pitch in (40, 41, 42)
    for velocity in (50, 100)
]
ALL = {"family": None, "source": None}


@pytest.fixture
def unpacked(nsynth, tmp_path):
    """A copy of the small split, to be broken."""
    return shutil.copytree(nsynth, tmp_path / "nsynth-train")


@pytest.fixture
def notes(tmp_path):
    """Select and read: notes(path, skip=False, **settings) -> (notes by id, rejected)."""

    def select(path, skip=False, seed=0, **settings):
        source = NSynth(NSynthSource(path=path, **settings), seed)
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        rejected = Rejected(skip)
        index = source.index(work, rejected)
        found = {note.id: note for note in source.read(index.entries, work, rejected)}
        return found, rejected.notes

    return select


def as_published(name, audio, **more):
    """A record of NSynth's own TFRecord files."""
    told = from_name(name)
    features = {
        "note": 1,
        "note_str": name,
        "instrument": 7,
        "instrument_str": told.instrument,
        "instrument_family": 0,
        "instrument_family_str": told.family,
        "instrument_source": 0,
        "instrument_source_str": told.source,
        "pitch": told.pitch,
        "velocity": told.velocity,
        "sample_rate": 16_000,
        "audio": audio,
        **more,
    }
    return tfrecord.frame(tfrecord.encode(features))


@pytest.fixture
def published(nsynth, names, tmp_path):
    """NSynth's own TFRecord file."""
    path = tmp_path / "nsynth-train.tfrecord"
    with open(path, "wb") as file:
        for name in names:
            audio, _ = soundfile.read(nsynth / "audio" / f"{name}.wav", dtype="float32")
            file.write(as_published(name, audio))
    return path


@pytest.fixture
def prepared(fixtures, tmp_path):
    """A folder that tensorflow-datasets 4.9.10 wrote, with NSynth's features."""
    with zipfile.ZipFile(fixtures / "data" / "nsynth_prepared.zip") as file:
        file.extractall(tmp_path / "prepared")
    return tmp_path / "prepared" / "nsynth"


def test_the_default_selection_is_the_paper(nsynth, notes):
    found, _ = notes(nsynth)
    assert sorted(found) == BASSES
    note = found["bass_acoustic_000-041-100"]
    assert (note.pitch, note.velocity, note.instrument) == (41, 100, "bass_acoustic_000")
    audio, _ = soundfile.read(nsynth / "audio" / f"{note.id}.wav", dtype="float32")
    np.testing.assert_array_equal(note.audio, audio)


FORMS = ["first", "last", "tar", "bz2", "xz", "records", "records in tar"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_notes(
    form, nsynth, members, published, archive, notes, tmp_path
):
    expected, _ = notes(nsynth)
    suffix = {"bz2": ".bz2", "xz": ".xz"}.get(form, "" if "tar" in form else ".gz")
    path = tmp_path / f"some.tar{suffix}"
    if form == "records":
        path = published
    elif form == "records in tar":
        archive(path, [("nsynth-train.tfrecord", published.read_bytes())], "w")
    else:
        order = members[-1:] + members[:-1] if form == "first" else members
        archive(path, order, {"tar": "w", "bz2": "w:bz2", "xz": "w:xz"}.get(form, "w:gz"))
    found, rejected = notes(path)
    assert rejected == []
    assert list(found) == list(expected)
    for id, note in expected.items():
        assert found[id].metadata == note.metadata
        np.testing.assert_array_equal(found[id].audio, note.audio)


def test_a_prepared_folder(prepared, notes):
    """Written by tensorflow-datasets itself: two acoustic basses in train, one in valid."""
    found, _ = notes(prepared)
    assert sorted(found) == ["bass_acoustic_000-040-075", "bass_acoustic_001-041-075"]
    note = found["bass_acoustic_001-041-075"]
    assert (note.pitch, note.velocity, note.instrument) == (41, 75, "bass_acoustic_001")
    expected = 0.25 * np.tile(np.repeat([1, -1], 100), 320)
    np.testing.assert_array_equal(note.audio, expected)
    assert sorted(notes(prepared, split="valid")[0]) == ["bass_acoustic_000-043-075"]
    assert len(notes(prepared, split=None, **ALL)[0]) == 4
    assert sorted(notes(prepared, qualities=["dark"])[0]) == ["bass_acoustic_001-041-075"]


def shards(folder, published, count=10):
    """NSynth's records as so many files of about equal length."""
    folder.mkdir()
    records = [payload for _, payload in tfrecord.read(published)]
    for number in range(count):
        content = b"".join(map(tfrecord.frame, records[number::count]))
        (folder / f"nsynth-train.tfrecord-{number:05d}-of-{count:05d}").write_bytes(content)
    return folder


def test_missing_shards_are_named(published, notes, tmp_path):
    folder = shards(tmp_path / "shards", published, 5)
    assert len(notes(folder, **ALL)[0]) == 9
    for number in (1, 3):
        (folder / f"nsynth-train.tfrecord-{number:05d}-of-00005").unlink()
    expected = (
        r"shards: 2 of 5 files are missing: nsynth-train\.tfrecord-00001-of-00005, "
        r"nsynth-train\.tfrecord-00003-of-00005"
    )
    with pytest.raises(ReverbSynthError, match=expected):
        notes(folder, **ALL)
    (one, *_) = sorted(folder.iterdir())
    assert len(notes(one, **ALL)[0]) == 2  # One that is named is meant.


def test_a_prepared_folder_without_some_of_its_files(prepared, notes):
    (folder,) = {path.parent for path in prepared.rglob("dataset_info.json")}
    path = folder / "nsynth-train.tfrecord-00000-of-00001"
    path.rename(folder / "nsynth-train.tfrecord-00000-of-00002")
    with pytest.raises(ReverbSynthError, match="1 of 2 files are missing"):
        notes(prepared, **ALL)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([3, 5], r"1 of 2 files are missing: nsynth-train\.tfrecord-00001-of-00002"),
        ([4], r"train\.tfrecord-00000-of-00001: found 3 records, expected 4 \(dataset_info"),
        ([2], "found 3 records, expected 2"),
        ("many", r"dataset_info\.json: its splits are not as expected"),
    ],
)
def test_a_prepared_folder_holds_what_its_description_says(prepared, notes, lengths, message):
    """The names of the files alone would say that all is there."""
    (path,) = prepared.rglob("dataset_info.json")
    info = json.loads(path.read_text())
    info["splits"][0]["shardLengths"] = list(map(str, lengths))
    path.write_text(json.dumps(info))
    if len(lengths) == 2:
        first = path.with_name("nsynth-train.tfrecord-00000-of-00001")
        first.rename(path.with_name("nsynth-train.tfrecord-00000-of-00002"))
    with pytest.raises(ReverbSynthError, match=message):
        notes(prepared, skip=True, **ALL)


def test_what_lies_beside_records_is_named(published, notes, tmp_path):
    (tmp_path / "nsynth-train.tfrecord.md5").write_text("0" * 32)
    (tmp_path / "._nsynth-train.tfrecord").write_bytes(b"finder")
    source = NSynth(NSynthSource(path=tmp_path), 0)
    index = source.index(tmp_path, Rejected(False))
    assert [entry.id for entry in index.entries] == BASSES
    assert index.notices == [
        "not records: nsynth-train.tfrecord.md5",
        "data.source: 3 of 9 notes do not fit the selection (family, source)",
    ]


def test_a_count_says_how_many_there_were(nsynth, tmp_path):
    source = NSynth(NSynthSource(path=nsynth, count=2), 0)
    notices = source.index(tmp_path, Rejected(False)).notices
    assert notices[1] == "data.source.count: 2 of 6 notes were drawn"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nsynth-train.tfrecord.gz", "compressed with gzip; unpack it first"),
        ("nsynth-train.tfrecord", "compressed with gzip; unpack it first"),
        ("nsynth-train.zip", "unpack it first; expected an unpacked split"),
        ("nsynth-train.json.bz2", "unpack it first; expected an unpacked split"),
    ],
)
def test_what_has_to_be_unpacked_first(name, message, published, notes, tmp_path):
    path = tmp_path / "packed" / name
    path.parent.mkdir()
    path.write_bytes(gzip.compress(published.read_bytes(), 1))
    with pytest.raises(ReverbSynthError, match=message):
        notes(path)


def test_families_and_sources_as_integers_alone(unpacked, published, notes, tmp_path):
    """As in the first files that were published."""
    path = tmp_path / "old" / "nsynth-train.tfrecord"
    path.parent.mkdir()
    content = b""
    for _, payload in tfrecord.read(published):
        features = tfrecord.decode(payload)
        told = from_name(features["note_str"])
        numbers = {
            "instrument_family": {"bass": 0, "organ": 6, "synth_lead": 9}[told.family],
            "instrument_source": {"acoustic": 0, "electronic": 1, "synthetic": 2}[told.source],
        }
        content += tfrecord.frame(
            tfrecord.encode(
                {"audio": features["audio"], "note_str": told.id, "pitch": told.pitch, **numbers}
            )
        )
    path.write_bytes(content)
    assert list(notes(path)[0]) == BASSES
    assert len(notes(path, family="synth_lead", source="synthetic")[0]) == 1
    examples = json.loads((unpacked / "examples.json").read_text())
    for values in examples.values():
        del values["instrument_family_str"], values["instrument_source_str"]
        values["instrument_family"] = 6
    organs = {name: values for name, values in examples.items() if name.startswith("organ")}
    (unpacked / "examples.json").write_text(json.dumps(organs))
    assert list(notes(unpacked, family="organ")[0]) == ["organ_acoustic_002-040-050"]


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        (ALL, 9),
        ({"source": None}, 7),
        ({"family": None}, 7),
        ({"family": "synth_lead", "source": "synthetic"}, 1),
        ({"pitches": [41, 42]}, 4),
        ({"velocities": [50]}, 3),
        ({"qualities": ["dark"]}, 6),
        ({"count": 4}, 4),
        ({"count": 400}, 6),
    ],
)
def test_selection(nsynth, notes, settings, count):
    assert len(notes(nsynth, **settings)[0]) == count


def test_counted_notes_are_drawn_by_the_seed(nsynth, notes):
    drawn = [list(notes(nsynth, count=3, seed=seed, **ALL)[0]) for seed in (0, 0, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2] or drawn[0] != drawn[3]


def test_qualities_decide_in_an_archive_whose_json_comes_last(members, archive, notes, tmp_path):
    examples = json.loads(members[-1][1])
    for name in BASSES[:2]:
        examples[name]["qualities_str"] = ["bright", "dark"]
    changed = [*members[:-1], ("nsynth-train/examples.json", json.dumps(examples).encode())]
    path = archive(tmp_path / "some.tar.gz", changed)
    assert list(notes(path, qualities=["bright"])[0]) == BASSES[:2]


def test_an_archive_keeps_only_the_wanted_notes(members, archive, notes, tmp_path):
    path = archive(tmp_path / "some.tar.gz", members)
    notes(path, pitches=[42, 42])
    assert sorted(file.name for file in (tmp_path / "work").iterdir()) == ["kept.bin"]
    assert (tmp_path / "work" / "kept.bin").stat().st_size == 2 * len(members[0][1])


def test_several_splits_in_one_folder(unpacked, notes, tmp_path):
    shutil.copytree(unpacked, tmp_path / "nsynth-valid")
    assert len(notes(tmp_path)[0]) == 6
    with pytest.raises(ReverbSynthError, match="occurs more than once"):
        notes(tmp_path, split=None)


def test_the_paper_files_are_notes_of_unknown_instruments(tmp_path, tone, notes):
    path = tmp_path / "train.tfrecord"
    path.write_bytes(
        b"".join(
            tfrecord.frame(tfrecord.encode({"audio": tone(pitch), "pitch": pitch}))
            for pitch in (40, 41)
        )
    )
    with pytest.raises(ReverbSynthError, match=r"tells no family, which data\.source selects"):
        notes(path)
    found, _ = notes(path, **ALL)
    assert [(n.id, n.pitch, n.velocity) for n in found.values()] == [
        ("train-000000", 40, 0),
        ("train-000001", 41, 0),
    ]


def test_a_build_from_an_archive(members, archive, tmp_path):
    path = archive(tmp_path / "some.tar.gz", members)
    wanted = Settings.preset("tiny", **{"data.source": {"kind": "nsynth", "path": str(path)}})
    data = build_data(wanted, tmp_path / "data")
    assert [data.count(split) for split in data.splits] == [8, 2, 2]
    assert sorted(file.name for file in (tmp_path / "data").iterdir()) == [
        "manifest.json",
        "sheet.html",
        "test.tfrecord",
        "train.tfrecord",
        "valid.tfrecord",
    ]


def link(name, kind, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


HOSTILE = {
    "climbs": ("../../climbs.wav", "climbs out of the folder"),
    "absolute": ("/etc/absolute.wav", "climbs out of the folder"),
    "symbolic": (link("nsynth-train/audio/a.wav", tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
    "hard": (link("nsynth-train/audio/a.wav", tarfile.LNKTYPE, "/etc/passwd"), "is a link"),
    "device": (link("nsynth-train/audio/a.wav", tarfile.CHRTYPE, ""), "is a link or a device"),
}


def test_hidden_members_are_no_input(published, archive, notes, tmp_path):
    """As macOS puts them beside every file."""
    content = published.read_bytes()
    members = [("._a.tfrecord", b"finder"), ("a.tfrecord", content), ("._b.wav", b"finder")]
    found, rejected = notes(archive(tmp_path / "some.tar", members, "w"))
    assert (list(found), rejected) == (BASSES, [])


@pytest.mark.parametrize("which", HOSTILE)
def test_hostile_members_are_errors_or_left_out(which, members, archive, notes, tmp_path):
    member, message = HOSTILE[which]
    path = archive(tmp_path / "hostile.tar.gz", [(member, b""), *members])
    with pytest.raises(ReverbSynthError, match=rf"hostile\.tar\.gz: member .*{message}"):
        notes(path)
    found, rejected = notes(path, skip=True)
    assert list(found) == BASSES
    assert len(rejected) == 1


def test_a_huge_header_is_not_read(archive, members, notes, tmp_path):
    """A long-name header that claims 4 GB would be read into memory by tarfile."""
    path = tmp_path / "huge.tar"
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**32
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + b"\0" * 10_240)
    with pytest.raises(ReverbSynthError, match="a header of 4294967296 bytes"):
        notes(path)


def test_a_note_of_absurd_size(members, archive, notes, tmp_path):
    absurd = (members[0][0], b"\0" * 5_000_000)
    path = archive(tmp_path / "some.tar.gz", [absurd, *members[1:]])
    with pytest.raises(ReverbSynthError, match="found 5000000 bytes, expected a note"):
        notes(path)


def test_members_that_occur_twice(members, archive, notes, tmp_path):
    path = archive(tmp_path / "some.tar.gz", [members[0], *members])
    with pytest.raises(ReverbSynthError, match="occurs more than once"):
        notes(path)


def test_an_archive_without_json(members, archive, notes, tmp_path):
    path = archive(tmp_path / "some.tar.gz", members[:-1])
    with pytest.raises(ReverbSynthError, match=r"holds WAV files, but no examples\.json"):
        notes(path)


def test_a_listed_note_without_audio(members, archive, notes, tmp_path):
    path = archive(tmp_path / "some.tar.gz", members[1:])
    with pytest.raises(
        ReverbSynthError, match=f"note {BASSES[0]}: is in examples.json, but has no"
    ):
        notes(path)


def test_a_damaged_archive_fails_its_checksum(members, archive, notes, tmp_path):
    content = bytearray(archive(tmp_path / "some.tar.gz", members).read_bytes())
    content[-6] ^= 1
    (tmp_path / "some.tar.gz").write_bytes(content)
    with pytest.raises(ReverbSynthError, match="truncated or damaged archive"):
        notes(tmp_path / "some.tar.gz")


LIES = {
    "pitch": ({"pitch": 90}, "pitch is 90, but its name says 40"),
    "kind": ({"pitch": "40"}, "pitch is '40', expected int"),
    "none": ({"pitch": None}, "pitch is missing"),
    "family": ({"instrument_family_str": "organ"}, "family is 'organ', but its name says 'bass'"),
    "rate": ({"sample_rate": 44_100}, "sample_rate is 44100, expected 16000"),
    "name": ({"note_str": "other"}, "note_str is 'other'"),
    "qualities": ({"qualities_str": "dark"}, "qualities_str is 'dark', expected a list"),
}


@pytest.mark.parametrize("lie", LIES)
def test_json_that_lies(lie, unpacked, notes):
    changes, message = LIES[lie]
    path = unpacked / "examples.json"
    examples = json.loads(path.read_text())
    examples[BASSES[0]].update(changes)
    path.write_text(json.dumps(examples))
    with pytest.raises(ReverbSynthError, match=rf"examples\.json: note {BASSES[0]}: {message}"):
        notes(unpacked)
    found, rejected = notes(unpacked, skip=True)
    assert list(found) == BASSES[1:]
    assert [bad["name"] for bad in rejected] == BASSES[:1]


def test_json_with_an_id_twice(unpacked, notes, example):
    one = json.dumps(example(BASSES[0]))
    (unpacked / "examples.json").write_text(f'{{"{BASSES[0]}": {one}, "{BASSES[0]}": {one}}}')
    with pytest.raises(ReverbSynthError, match=f"note {BASSES[0]}: occurs more than once"):
        notes(unpacked)


def test_json_whose_id_is_a_path(unpacked, notes):
    path = unpacked / "examples.json"
    path.write_text(json.dumps({"../../secret": {"pitch": 40}}))
    with pytest.raises(ReverbSynthError, match="its name is not a file name"):
        notes(unpacked, **ALL)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"a": }', "\xff", "{}", '{"a": 1}', "nul"])
def test_json_that_is_none(unpacked, notes, text):
    (unpacked / "examples.json").write_text(text, encoding="latin-1")
    with pytest.raises(ReverbSynthError, match=r"examples\.json") as raised:
        notes(unpacked)
    assert "\n" not in str(raised.value)


WRONG_AUDIO = {
    "rate": ({"rate": 44_100}, "sample rate is 44100, expected 16000"),
    "short": ({"seconds": 3.0}, "number of samples is 48000, expected 64000"),
    "long": ({"seconds": 4.5}, "number of samples is 72000, expected 64000"),
    "silent": ({"peak": 1e-9}, "audio is silent"),
}


@pytest.mark.parametrize("wrong", WRONG_AUDIO)
def test_wrong_audio(wrong, unpacked, wav, notes):
    changes, message = WRONG_AUDIO[wrong]
    (unpacked / "audio" / f"{BASSES[2]}.wav").write_bytes(wav(41, **changes))
    with pytest.raises(ReverbSynthError, match=rf"{BASSES[2]}.*{message}"):
        notes(unpacked)
    found, rejected = notes(unpacked, skip=True)
    assert len(found) == 5
    assert [bad["name"] for bad in rejected] == [BASSES[2]]


def test_truncated_and_missing_audio(unpacked, notes):
    path = unpacked / "audio" / f"{BASSES[2]}.wav"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ReverbSynthError, match=r"\.wav: is truncated, 1000 bytes are missing"):
        notes(unpacked)
    path.unlink()
    with pytest.raises(ReverbSynthError, match=r"\.wav: cannot be read"):
        notes(unpacked)


def test_records_with_nan(tmp_path, tone, notes):
    audio = tone(40)
    audio[5] = np.nan
    path = tmp_path / "nsynth-train.tfrecord"
    path.write_bytes(as_published(BASSES[0], audio))
    with pytest.raises(ReverbSynthError, match=f"note {BASSES[0]}: audio holds NaN"):
        notes(path)


def test_a_record_with_one_quality_alone(tmp_path, tone, notes):
    path = tmp_path / "nsynth-train.tfrecord"
    path.write_bytes(as_published(BASSES[0], tone(40), qualities_str="dark"))
    assert list(notes(path, qualities=["dark"])[0]) == [BASSES[0]]
    with pytest.raises(ReverbSynthError, match="no note fits the selection"):
        notes(path, qualities=["bright"])


def test_shards_of_records_without_names(tmp_path, tone, notes):
    """Of the paper's form: nothing but sound and pitch."""
    for shard, pitches in enumerate(((40, 41), (42, 43))):
        path = tmp_path / "shards" / f"data.tfrecord-{shard:05d}-of-00002"
        path.parent.mkdir(exist_ok=True)
        records = ({"pitch": pitch, "audio": tone(pitch)} for pitch in pitches)
        path.write_bytes(b"".join(tfrecord.frame(tfrecord.encode(each)) for each in records))
    found, _ = notes(path.parent, split=None, **ALL)
    assert sorted(note.pitch for note in found.values()) == [40, 41, 42, 43]


def test_of_a_data_set_of_ours_the_dry_notes_are_the_source(small_data, tmp_path):
    again = Settings.preset("tiny").replace(
        data={
            "source": {"kind": "nsynth", "path": str(small_data.directory), "split": None, **ALL},
            "effects": [{"kind": "dry"}, {"kind": "delay"}],
        }
    )
    made = build_data(again, tmp_path / "again")
    assert made.vocabulary("effect") == ["dry", "delay"]
    ids = {row["id"] for split in made.splits for row in made.index(split)}
    before = [row for split in small_data.splits for row in small_data.index(split)]
    origins = {row["origin"] for row in before}
    assert ids == {f"{origin}/{effect}" for origin in origins for effect in ("dry", "delay")}
    dry = {
        note.origin: note
        for split in made.splits
        for note in made.notes(split)
        if note.effect == "dry"
    }
    for split in small_data.splits:
        for note in small_data.notes(split):
            if note.effect == "dry":
                np.testing.assert_array_equal(dry[note.origin].audio, note.audio)


def test_records_of_other_splits_alone(published, notes):
    published.rename(published.with_name("nsynth-valid.tfrecord"))
    with pytest.raises(ReverbSynthError, match="holds no TFRecord files of split train"):
        notes(published.parent)
    assert notes(published.parent, split="valid")[0]


def test_an_empty_selection(nsynth, notes):
    with pytest.raises(
        ReverbSynthError, match=r"no note fits the selection in data\.source \(family"
    ):
        notes(nsynth, family="vocal")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "gone", "not found, expected an unpacked split"),
        (lambda folder: folder, "not a form of NSynth"),
        (lambda folder: None, "not set, expected an unpacked split"),
    ],
)
def test_a_path_that_is_no_nsynth(make, message, notes, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(ReverbSynthError, match=message):
        notes(make(folder))


def test_an_unknown_quality():
    source = {"kind": "nsynth", "qualities": ["loud"]}
    with pytest.raises(ReverbSynthError, match=r"qualities\.0: found 'loud', expected 'bright'"):
        Settings.preset("tiny", **{"data.source": source})


def test_names_tell_everything():
    told = from_name("synth_lead_synthetic_003-060-127")
    assert (told.family, told.source, told.pitch, told.velocity) == (
        "synth_lead",
        "synthetic",
        60,
        127,
    )
    assert from_name("my sound 60") is None
    assert len(QUALITIES) == 10


@given(data=st.data())
@hypothesis_settings(max_examples=100, deadline=None)
def test_corrupted_archives_are_one_line(members, archive, tmp_path_factory, attempt, data):
    """Bits flipped, pieces cut and bytes put in, in the gzip stream or in the tar within it."""
    folder = tmp_path_factory.mktemp("corrupted")
    small = [members[0], members[-1]]
    path = archive(folder / "some.tar.gz", small)
    inside = data.draw(st.booleans())
    content = bytearray(gzip.decompress(path.read_bytes()) if inside else path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        # Headers and the JSON rather than samples, of which any are fine.
        at = data.draw(
            st.integers(0, 1200) | st.integers(max(0, len(content) - 9000), len(content) - 1)
        )
        length = data.draw(st.integers(0, 40))
        content[at : at + length] = data.draw(st.binary(max_size=40))
    path.write_bytes(gzip.compress(bytes(content), 1) if inside else bytes(content))

    def read():
        source = NSynth(NSynthSource(path=path), 0)
        rejected = Rejected(skip=True)
        index = source.index(folder, rejected)
        return list(source.read(index.entries, folder, rejected)), rejected.notes

    found, message = attempt(read)
    if found is None:
        assert "\n" not in message
        assert "some.tar.gz" in message
    else:
        good, bad = found
        assert all(note.audio.shape == (64_000,) for note in good)
        assert all("\n" not in one["reason"] for one in bad)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(data=st.data())
@hypothesis_settings(max_examples=150, deadline=None)
def test_strange_json_is_one_line(nsynth, example, tmp_path_factory, attempt, data):
    folder = tmp_path_factory.mktemp("strange")
    (folder / "audio").symlink_to(nsynth / "audio")
    values = example(BASSES[0])
    for field in data.draw(st.lists(st.sampled_from(sorted(values)), max_size=3)):
        values[field] = data.draw(JSON)
    document = data.draw(st.sampled_from([values, {BASSES[0]: values}, None]))
    text = json.dumps(data.draw(JSON) if document is None else document)
    (folder / "examples.json").write_text(text)

    def read():
        source = NSynth(NSynthSource(path=folder), 0)
        rejected = Rejected(skip=True)
        index = source.index(folder, rejected)
        return list(source.read(index.entries, folder, rejected)), rejected.notes

    found, message = attempt(read)
    assert "\n" not in message
    assert found is not None or str(folder) in message
    for bad in found[1] if found else []:
        assert "\n" not in bad["reason"]
