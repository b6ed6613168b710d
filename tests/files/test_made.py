"""Results that are made once."""

from reverbsynth.files.atomic import write_json
from reverbsynth.files.json import read_json
from reverbsynth.files.made import load_or_make


def test_a_result_is_made_again_only_when_its_key_changes(tmp_path):
    path, made = tmp_path / "result.json", []

    def result(key):
        def make():
            made.append(key)
            write_json(path, {"key": key})
            return key

        def load(path):
            stored = read_json(path)["key"]
            return stored, stored

        return load_or_make(path, key, load, make)

    assert [result(key) for key in ("a", "a", "b", "b", "a")] == ["a", "a", "b", "b", "a"]
    assert made == ["a", "b", "a"]
