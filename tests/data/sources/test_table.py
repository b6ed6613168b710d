import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reverbsynth.data.notes import Rejected
from reverbsynth.data.sources.table import matched, read_table
from reverbsynth.errors import ReverbSynthError


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "\ufefffile,pitch\na.wav,40\nb.wav,E2\n"),
        ("t.csv", "pitch, File ,extra\n40,a.wav,x\n40,./b.wav,y\n"),
        ("t.json", '{"a.wav": 40, "b.wav": {"pitch": 40.0, "velocity": 0}}'),
        ("t.json", '[{"file": "a.wav", "pitch": "40"}, {"file": "b.wav", "pitch": "E2"}]'),
        ("t.json", '[{"Filename": "a.wav", "MIDI": "40.0"}, {"path": "b.wav", "note": 40}]'),
        ("t.csv", "filename;midi\na.wav;40,0\nb.wav;E2\n"),
        ("t.csv", "sep=;\nSample;Root Key\na.wav;40.0\nb.wav;40\n"),
        ("t.tsv", "File\tNote Number\tVel\na.wav\t40.0\t\nb.wav\tE2\t0\n"),
        ("t.csv", 'file,pitch\n"a.wav",40\n\n"b.wav", 40 \n'),
    ],
)
def test_tables_in_every_shape(name, content, tmp_path):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    table = read_table(path, Rejected(False))
    named = matched(table, ["a.wav", "b.wav"])[0]
    assert {file: row["pitch"] for file, row in named.items()} == {"a.wav": 40, "b.wav": 40}
    assert {row["velocity"] for row in table.values()} == {0}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "its header is '', expected file,pitch"),
        ("t.csv", "title,tone\na,1\n", "its header is 'title,tone'"),
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
        read_table(path, Rejected(False))


@given(st.sampled_from([".csv", ".json"]), st.binary(max_size=80) | st.text(max_size=80))
@hypothesis_settings(max_examples=200)
def test_arbitrary_tables_are_read_or_one_line(tmp_path_factory, attempt, suffix, content):
    path = tmp_path_factory.mktemp("tables") / f"t{suffix}"
    content = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    path.write_bytes(b"file,pitch\n" * (suffix == ".csv") + content)
    table, message = attempt(lambda: read_table(path, Rejected(False)))
    assert "\n" not in message
    assert table is not None or f"t{suffix}: " in message
    assert all(0 <= row["pitch"] <= 127 for row in (table or {}).values())


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_tables_in_the_encodings_of_spreadsheets(encoding, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("file;pitch\nsüß.wav;40\n", encoding=encoding)
    assert list(read_table(path, Rejected(False))) == ["süß.wav"]


def test_wrong_rows_are_left_out_and_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("file,pitch\na.wav,high\nb.wav,40\nb.wav,41\n")
    rejected = Rejected(skip=True)
    assert read_table(path, rejected) == {"a.wav": None, "b.wav": None}
    assert [bad["name"] for bad in rejected.notes] == ["a.wav", "b.wav"]


def test_pitches_by_name_in_the_octaves_of_the_library(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("file,pitch\na.wav,C3\nb.wav,60\n")
    assert [row["pitch"] for row in read_table(path, Rejected(False), middle_c=3).values()] == [
        60,
        60,
    ]


def test_in_a_german_table_b_is_below_h(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("file,note\na,B2\nb,H2\n")
    assert [row["pitch"] for row in read_table(path, Rejected(False)).values()] == [46, 47]
    path.write_text("file,note\na,B2\nb,A2\n")
    assert [row["pitch"] for row in read_table(path, Rejected(False)).values()] == [47, 45]


@pytest.mark.parametrize("name", ["soft/Süß.wav", "soft\\Süß", "SÜSS.WAV".lower(), "Su\u0308ß"])
def test_a_row_means_a_file_however_it_is_written(name):
    rows = {name: {"pitch": 40}}
    expected = {"soft/Süß.wav": {"pitch": 40}}
    assert matched(rows, ["soft/Süß.wav", "loud/A.wav"]) == (expected, {})


def test_rows_that_mean_no_one_file():
    rows = {"A": {"pitch": 40}, "B.wav": {"pitch": 41}}
    found, unmatched = matched(rows, ["x/A.wav", "y/A.wav"])
    assert (found, unmatched["B.wav"]) == ({}, "not found")
    assert unmatched["A"].startswith("fits x/A.wav, y/A.wav, not one file")
    found, unmatched = matched({"A": 1, "x/A.wav": 2}, ["x/A.wav"])
    assert (found, unmatched) == ({"x/A.wav": 2}, {"A": "another row is of x/A.wav too"})


def test_a_row_of_another_folder_means_no_file():
    """Of a library of which only a part is there, all with the same names."""
    rows = {"piano/C4.wav": 1, "flute/C4.wav": 2, "C:\\samples\\flute\\D4.wav": 3}
    found, unmatched = matched(rows, ["flute/C4.wav", "flute/D4.wav"])
    assert found == {"flute/C4.wav": 2, "flute/D4.wav": 3}
    assert unmatched == {"piano/C4.wav": "not found"}
    assert matched({"kit/a/C4.wav": 1, "kit/b/C4.wav": 2}, ["a/C4.wav"])[0] == {"a/C4.wav": 1}


def test_a_name_as_it_is_written_comes_first():
    assert matched({"a1.wav": 1, "A1.wav": 2}, ["A1.wav", "a1.wav"])[0] == {
        "a1.wav": 1,
        "A1.wav": 2,
    }
