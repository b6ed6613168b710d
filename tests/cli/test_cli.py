"""The command line, as a user calls it: what it does, and one line for every mistake."""

import os
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import soundfile

from reverbsynth import cli
from reverbsynth.evaluation.report import Report, Verdict
from reverbsynth.instrument.instrument import Instrument

MISTAKES = {
    "wrong preset": (["train", "{new}", "--preset", "tinny"], "did you mean tiny"),
    "misspelt setting": (["train", "{new}", "--set", "training.bacth=4"], "did you mean batch"),
    "setting out of range": (["train", "{new}", "--set", "training.batch=0"], "training.batch"),
    "override without a value": (["data", "{new}", "--set", "seed"], "dotted.key=value"),
    "no settings file": (["train", "{new}", "--settings", "{new}"], "cannot be read"),
    "preset and file": (
        ["train", "{new}", "--settings", "{new}", "--preset", "tiny"],
        "expected one of them",
    ),
    "no data set": (["train", "{new}", "--data", "{empty}"], "manifest.json"),
    "data where something else is": (["data", "{file}"], "is a file"),
    "run of other settings": (
        ["train", "{run}", "--data", "{data}", "--set", "seed=9"],
        "a run of other settings",
    ),
    "no run to play": (["play", "{empty}", "-o", "{new}.wav"], "not a run"),
    "no such stage": (["play", "{run}", "--stage", "11", "-o", "{new}.wav"], "expected 11"),
    "pitch it has not": (["play", "{run}", "--pitch", "99", "-o", "{new}.wav"], "99"),
    "effect it has not": (["play", "{run}", "--effect", "hall", "-o", "{new}.wav"], "hall"),
    "an effect twice": (
        ["play", "{run}", "--effect", "dry", "--label", "effect=reverb", "-o", "{new}.wav"],
        "--effect, not both",
    ),
    "a number for a label": (
        ["train", "{new}", "--set", "losses.label_weights={{1: 2}}"],
        "losses.label_weights.1: found a key 1, expected a name",
    ),
    "no day of any year": (["data", "{new}", "--set", "seed=2020-13-45"], "not valid YAML"),
    "no original run": (
        ["import-original", "{empty}", "-o", "{new}.safetensors"],
        "experiment.json",
    ),
    "book of no run": (["book", "--run", "{empty}"], "not a run"),
}


@pytest.fixture
def places(small_run, small_data, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("a file")
    return {
        "new": tmp_path / "new",
        "empty": tmp_path / "empty",
        "file": tmp_path / "file",
        "run": small_run.directory,
        "data": small_data.directory,
    }


def call(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["reverbsynth", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code or 0


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_line_and_write_nothing(mistake, places, monkeypatch, capfd):
    template, expected = MISTAKES[mistake]
    before = sorted(places["empty"].parent.rglob("*"))
    code = call(monkeypatch, *(part.format(**places) for part in template))
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("reverbsynth:")]
    assert code == 2
    assert len(said) == 1
    assert expected in said[0]
    assert sorted(places["empty"].parent.rglob("*")) == before


def test_a_mistake_is_no_traceback_in_a_process_of_its_own(tmp_path):
    command = [sys.executable, "-m", "reverbsynth.cli", "data", str(tmp_path / "data")]
    done = subprocess.run(
        [*command, "--preset", "nothing"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "preset 'nothing'" in done.stderr


def test_a_user_without_a_home_keeps_caches_with_temporary_files():
    nobody = "import os, pwd, sys; os.environ.pop('HOME', None); pwd.getpwuid = {}.__getitem__; "
    code = nobody + "import reverbsynth; print(os.path.expanduser('~/.cache'))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == os.path.join(tempfile.gettempdir(), ".cache")


@pytest.mark.parametrize("named", [None, "/elsewhere"])
def test_a_home_that_cannot_be_written_holds_no_caches(named):
    code = "import os; os.access = lambda *_: False; import reverbsynth; "
    code += "print(os.path.expanduser('~'), os.environ['XDG_CACHE_HOME'])"
    environment = {**os.environ, "HOME": "/nowhere/at/all"}
    environment.pop("XDG_CACHE_HOME", None)
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | ({"XDG_CACHE_HOME": named} if named else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    caches = named or os.path.join(tempfile.gettempdir(), ".cache")
    assert shown.stdout.split() == ["/nowhere/at/all", caches]


def test_a_cache_that_cannot_be_written_names_the_variable(monkeypatch, capsys):
    def compiles():
        raise RuntimeError("cannot cache function '__o_fold': no locator available for 'audio.py'")

    monkeypatch.setattr(cli, "app", compiles)
    assert call(monkeypatch, "data") == 2
    assert "expected NUMBA_CACHE_DIR" in capsys.readouterr().err


def test_a_backend_that_keras_does_not_know_is_named(monkeypatch, capsys):
    def imports():
        raise ValueError("Unable to import backend : nonsense")

    monkeypatch.setenv("KERAS_BACKEND", "nonsense")
    monkeypatch.setattr(cli, "app", imports)
    assert call(monkeypatch, "train") == 2
    assert "KERAS_BACKEND: found 'nonsense', expected tensorflow or jax" in capsys.readouterr().err


def test_play_writes_notes_one_after_the_other(places, monkeypatch, tmp_path):
    sound = tmp_path / "notes.wav"
    assert call(monkeypatch, "play", places["run"], "--pitch", 40, "--pitch", 42, "-o", sound) == 0
    wave, rate = soundfile.read(sound)
    assert rate == 16000
    assert len(wave) == 2 * 64000
    assert np.isfinite(wave).all()
    assert np.abs(wave).max() > 1e-3


def test_evaluate_leads_with_what_a_musician_asks():
    claim = Verdict("pitch", "Pitch is kept.", "", "holds", "at least 90 %", "95 %")
    counted = {"recorded keys": [24, 24], "others": [60, 64]}
    first, *_, last = Report({"keys_in_tune": counted}, verdicts=[claim]).text().split("\n\n")
    assert "24 of 24 recorded keys and 60 of 64 others" in first
    assert last.startswith("HOLDS: Pitch is kept.")


def test_import_original_then_play(fixtures, monkeypatch, tmp_path):
    target = tmp_path / "original.safetensors"
    assert call(monkeypatch, "import-original", fixtures / "original_run", "-o", target) == 0
    assert Instrument.load(target).pitches == list(range(24, 85))
    assert call(monkeypatch, "play", target, "--pitch", 60, "-o", tmp_path / "note.flac") == 0
    assert len(soundfile.read(tmp_path / "note.flac")[0]) == 64000


def test_data_builds_and_says_so_again(monkeypatch, tmp_path):
    options = ["--set", "data.source.programs=[33]", "--set", "data.source.pitches=[40, 42]"]
    assert call(monkeypatch, "data", tmp_path / "data", *options) == 0
    first = (tmp_path / "data" / "train.tfrecord").stat().st_mtime_ns
    assert call(monkeypatch, "data", tmp_path / "data", *options) == 0
    assert (tmp_path / "data" / "train.tfrecord").stat().st_mtime_ns == first
