"""Reading files, JSON documents among them."""

import pytest

from reverbsynth.errors import DataError, ReverbSynthError
from reverbsynth.files.reading import read_json


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("\xff", "not valid JSON"),
        ("[1]", "found a JSON list, expected an object"),
        ("{}", "found format None, expected 2"),
        ('{"format": 1}', "found format 1, expected 2"),
    ],
)
def test_another_document_is_one_line(tmp_path, text, message):
    path = tmp_path / "file.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=rf"file\.json: {message}$"):
        read_json(path, format=2, error=DataError)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ReverbSynthError, match=r"none\.json: cannot be read \(No such file"):
        read_json(tmp_path / "none.json")
    with pytest.raises(ReverbSynthError, match="cannot be read"):
        read_json(tmp_path)


def test_an_object_of_the_format_is_read(tmp_path):
    (tmp_path / "file.json").write_text('{"format": 2, "a": [1]}')
    assert read_json(tmp_path / "file.json", format=2) == {"format": 2, "a": [1]}
