import errno
import hashlib
import json
import os
import shutil
from collections import Counter

import numpy as np
import pytest
import soundfile

from reverbsynth.audio.reverberation import audible
from reverbsynth.data import build, build_journal
from reverbsynth.data.build import build_data, data_hash
from reverbsynth.data.dataset import DataSet
from reverbsynth.effects.dry import Dry
from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import Settings

FILES = ["manifest.json", "sheet.html", "test.tfrecord", "train.tfrecord", "valid.tfrecord"]


def contents(directory):
    return sorted(path.name for path in directory.iterdir())


def digests(directory):
    return {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in FILES[2:]}


@pytest.fixture
def small_chunks(monkeypatch):
    """Two notes a chunk, so that twelve notes make six."""
    monkeypatch.setattr(build, "CHUNK", 2)


@pytest.fixture
def stop_after(monkeypatch):
    """Raise ``error`` when the dry effect has run ``count`` times: stop_after(count, error)."""

    def arm(count, error):
        runs = []

        def process(self, audio, ids):
            runs.append(ids)
            if len(runs) > count:
                raise error
            return audio

        monkeypatch.setattr(Dry, "process", process)
        return runs

    return arm


def test_the_embedded_default_end_to_end(tmp_path):
    data = build_data(Settings.preset("tiny"), tmp_path / "data")
    assert contents(tmp_path / "data") == FILES
    assert [data.count(split) for split in data.splits] == [38, 6, 4]
    assert data.vocabulary("pitch") == list(range(36, 48))
    manifest = data.manifest
    assert list(manifest["inputs"]) == ["TimGM6mb.sf2"]
    assert [effect["engine"] for effect in manifest["effects"]] == ["none", "scipy"]
    assert len(manifest["effects"][1]["delays"]) == 4
    assert manifest["skipped"] == []
    for name, file in manifest["files"].items():
        assert file["sha256"] == digests(tmp_path / "data")[name]
    assert {"python", "numpy", "scipy"} <= set(manifest["versions"])


def test_the_same_settings_give_the_same_bytes(settings, tmp_path, small_chunks):
    first = build_data(settings(), tmp_path / "first")
    second = build_data(settings(), tmp_path / "second")
    assert digests(first.directory) == digests(second.directory)
    other = build_data(settings(seed=1), tmp_path / "other")
    assert digests(other.directory) != digests(first.directory)


def test_chunks_do_not_show(settings, tmp_path, small_chunks, monkeypatch):
    build_data(settings(), tmp_path / "many")
    monkeypatch.setattr(build, "CHUNK", 256)
    build_data(settings(), tmp_path / "one")
    assert digests(tmp_path / "many") == digests(tmp_path / "one")


def test_a_complete_data_set_is_opened_not_built(settings, tmp_path, stop_after):
    build_data(settings(), tmp_path / "data")
    stop_after(0, AssertionError("built again"))
    data = build_data(settings(), tmp_path / "data")
    assert isinstance(data, DataSet)
    # What training needs to know does not decide the data.
    build_data(settings(**{"training.batch": 2}), tmp_path / "data")


def test_other_settings_are_refused(settings, tmp_path):
    build_data(settings(), tmp_path / "data")
    other = "holds a data set of other settings: seed: found 0, expected 1; choose"
    with pytest.raises(ReverbSynthError, match=other):
        build_data(settings(seed=1), tmp_path / "data")


@pytest.mark.parametrize("done", [0, 1, 3, 5])
def test_an_interrupted_build_goes_on(settings, tmp_path, small_chunks, stop_after, done):
    """Stopped within chunk done + 1; the chunks before it are not made again."""
    build_data(settings(), tmp_path / "whole")
    stop_after(done, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        build_data(settings(), tmp_path / "data")
    assert contents(tmp_path / "data") == [".build"]
    # An interruption within a write leaves a file that does not count.
    chunk = tmp_path / "data" / ".build" / f"chunk-{done:06d}.records"
    chunk.write_bytes(b"half a record")
    runs = stop_after(99, KeyboardInterrupt())
    build_data(settings(), tmp_path / "data")
    assert len(runs) == 6 - done
    assert contents(tmp_path / "data") == FILES
    assert digests(tmp_path / "data") == digests(tmp_path / "whole")


def test_an_interruption_while_files_are_moved(settings, tmp_path, monkeypatch):
    build_data(settings(), tmp_path / "whole")
    moved = os.replace

    def replace(source, target):
        if str(target).endswith("valid.tfrecord"):
            raise KeyboardInterrupt
        moved(source, target)

    monkeypatch.setattr("os.replace", replace)
    with pytest.raises(KeyboardInterrupt):
        build_data(settings(), tmp_path / "data")
    monkeypatch.setattr("os.replace", moved)
    assert contents(tmp_path / "data") == [".build", "sheet.html", "test.tfrecord"]
    build_data(settings(), tmp_path / "data")
    assert contents(tmp_path / "data") == FILES
    assert digests(tmp_path / "data") == digests(tmp_path / "whole")


def test_an_unfinished_build_of_other_settings_is_refused(
    settings, tmp_path, small_chunks, stop_after
):
    stop_after(2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        build_data(settings(), tmp_path / "data")
    with pytest.raises(ReverbSynthError, match="holds an unfinished data set of other settings"):
        build_data(settings(seed=1), tmp_path / "data")


def test_a_changed_source_starts_again(settings, sounds, tmp_path, small_chunks, stop_after):
    source = shutil.copytree(sounds, tmp_path / "source")
    wanted = settings(**{"data.source.path": str(source)})
    stop_after(2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        build_data(wanted, tmp_path / "data")
    soundfile.write(source / "midi50.wav", 0.5 * np.ones(100), 16_000)
    runs = stop_after(99, KeyboardInterrupt())
    data = build_data(wanted, tmp_path / "data")
    assert len(runs) == 7
    assert sum(data.count(split) for split in data.splits) == 26


def test_a_stray_after_the_end_is_cleared(settings, tmp_path):
    build_data(settings(), tmp_path / "data")
    (tmp_path / "data" / ".build").mkdir()
    build_data(settings(), tmp_path / "data")
    assert contents(tmp_path / "data") == FILES


@pytest.fixture
def fill_after(monkeypatch):
    """Fill the disk once so many files are on it; tells how many have been."""
    flush, writes = os.fsync, []

    def fill(count: int) -> list[int]:
        def full(descriptor):
            writes.append(descriptor)
            if len(writes) > count:
                raise OSError(errno.ENOSPC, "No space left on device")
            flush(descriptor)

        monkeypatch.setattr("os.fsync", full)
        return writes

    return fill


@pytest.mark.parametrize("after", [1, 2, 14, 16, 17, 18, 20])
def test_a_full_disk_leaves_nothing(settings, tmp_path, small_chunks, fill_after, after):
    """Among the chunks (two files each, six of them), the sheet, and the files of the splits."""
    fill_after(after)
    with pytest.raises(ReverbSynthError, match=r"cannot be written \(No space left"):
        build_data(settings(), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_disk_that_fills_leaves_the_data_set_that_was_to_be_replaced(
    settings, tmp_path, fill_after
):
    build_data(settings(), tmp_path / "data")
    before = digests(tmp_path / "data")
    fill_after(4)
    with pytest.raises(ReverbSynthError, match="No space left"):
        build_data(settings(seed=1), tmp_path / "data", rebuild=True)
    assert digests(tmp_path / "data") == before
    assert contents(tmp_path / "data") == FILES


def test_a_folder_that_cannot_be_made(settings, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReverbSynthError, match="file: is a file, expected a folder"):
        build_data(settings(), tmp_path / "file")
    with pytest.raises(ReverbSynthError, match=r"file.*: cannot be written \(Not a dir"):
        build_data(settings(), tmp_path / "file" / "data")


def test_files_of_no_data_set_are_not_overwritten(settings, tmp_path):
    (tmp_path / "train.tfrecord").write_bytes(b"precious")
    with pytest.raises(ReverbSynthError, match=r"train\.tfrecord: belongs to no data set"):
        build_data(settings(), tmp_path)
    assert contents(tmp_path) == ["train.tfrecord"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"data.effects": [{"kind": "revreb"}]}, "found kind 'revreb'"),
        ({"data.effects": [{"kind": "reverb", "parameters": {"decay": 0}}]}, "parameter decay"),
        (
            {"data.effects": [{"kind": "convolution", "parameters": {"path": "gone"}}]},
            "gone: cannot",
        ),
        ({"data.source.path": "gone"}, "gone: not found"),
        ({"data.source.pitches": [100, 110]}, "no sound has a pitch"),
        ({"data.source.count": 2}, "found 2 notes, expected at least 3"),
    ],
)
def test_mistakes_write_nothing(settings, tmp_path, overrides, message):
    with pytest.raises(ReverbSynthError, match=message):
        build_data(settings(**overrides), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_folder_is_built_by_one_process_at_a_time(settings, tmp_path, monkeypatch):
    def build_there_too(self, audio, ids):
        with pytest.raises(ReverbSynthError, match="data: is being built by another process"):
            build_data(settings(), tmp_path / "data")
        return audio

    monkeypatch.setattr(Dry, "process", build_there_too)
    build_data(settings(), tmp_path / "data")
    assert contents(tmp_path / "data") == FILES


@pytest.mark.parametrize("rebuild", [False, True])
def test_what_another_process_has_built_meanwhile_is_kept(
    settings, tmp_path, fill_after, monkeypatch, rebuild
):
    """Between a first look at the folder and its lock."""
    lock = build_journal.exclusive_lock

    def built_before(folder, doing):
        monkeypatch.setattr(build_journal, "exclusive_lock", lock)
        build_data(settings(), folder)
        fill_after(0)
        return lock(folder, doing)

    monkeypatch.setattr(build_journal, "exclusive_lock", built_before)
    expected = "No space left" if rebuild else "built by another process just now"
    with pytest.raises(ReverbSynthError, match=expected):
        build_data(settings(seed=1), tmp_path / "data", rebuild=rebuild)
    assert contents(tmp_path / "data") == FILES


def test_an_id_that_occurs_twice_is_kept_once(nsynth, names, example, tmp_path):
    source = shutil.copytree(nsynth, tmp_path / "nsynth-train")
    pairs = [f'"{name}": {json.dumps(example(name))}' for name in (*names, names[0])]
    (source / "examples.json").write_text("{" + ", ".join(pairs) + "}")
    wanted = Settings.preset("tiny", **{"data.source": {"kind": "nsynth", "path": str(source)}})
    data = build_data(wanted, tmp_path / "data")
    assert [bad["name"] for bad in data.manifest["skipped"]] == [names[0]]
    for split in data.splits:
        assert [note.metadata for note in data.notes(split)] == data.index(split)
    assert sum(data.count(split) for split in data.splits) == 12


def test_bad_notes_are_left_out_and_listed(settings, sounds, tmp_path):
    source = shutil.copytree(sounds, tmp_path / "source")
    (source / "midi50.wav").write_bytes(b"no sound")
    soundfile.write(source / "midi51.wav", np.zeros(100), 16_000)
    wanted = settings(**{"data.source.path": str(source)})
    with pytest.raises(ReverbSynthError, match=r"midi50\.wav: not a readable sound file"):
        build_data(wanted, tmp_path / "data", strict=True)
    assert not (tmp_path / "data").exists()
    data = build_data(wanted, tmp_path / "data")
    assert [bad["name"] for bad in data.manifest["skipped"]] == ["midi50.wav", "midi51.wav"]
    assert sum(data.count(split) for split in data.splits) == 24
    for split in data.splits:
        assert [note.metadata for note in data.notes(split)] == data.index(split)


def fail_for(monkeypatch, *names):
    """Let the dry effect make silence of some notes."""

    def process(self, audio, ids):
        return audio * np.array([[id not in names] for id in ids], np.float32)

    monkeypatch.setattr(Dry, "process", process)


def test_a_bad_note_late_in_a_build_keeps_the_work(settings, tmp_path, small_chunks, monkeypatch):
    fail_for(monkeypatch, "midi46.wav")
    with pytest.raises(ReverbSynthError, match=r"effect dry: note midi46\.wav: audio is silent"):
        build_data(settings(), tmp_path / "data", strict=True)
    assert contents(tmp_path / "data") == [".build"]
    data = build_data(settings(), tmp_path / "data")
    assert [bad["name"] for bad in data.manifest["skipped"]] == ["midi46.wav"]
    assert contents(tmp_path / "data") == FILES
    # What is there was not built strictly.
    with pytest.raises(ReverbSynthError, match=r"effect dry: note midi46\.wav: audio is silent"):
        build_data(settings(), tmp_path / "data", strict=True)


def test_notes_are_dealt_after_the_bad_ones_are_known(
    settings, sounds, tmp_path, small_chunks, monkeypatch
):
    """As if the bad ones had not been there."""
    source = tmp_path / "source"
    source.mkdir()
    for pitch in range(36, 42):
        (source / f"midi{pitch}.wav").symlink_to(sounds / f"midi{pitch}.wav")
    wanted = settings(**{"data.source.path": str(source)})
    fail_for(monkeypatch, "midi37.wav", "midi39.wav", "midi40.wav")
    left = build_data(wanted, tmp_path / "left")
    assert [left.count(split) for split in left.splits] == [2, 2, 2]
    for pitch in (37, 39, 40):
        (source / f"midi{pitch}.wav").unlink()
    build_data(wanted, tmp_path / "alone")
    assert digests(tmp_path / "left") == digests(tmp_path / "alone")
    fail_for(monkeypatch, "midi36.wav", "midi38.wav")
    expected = r"found 1 notes, expected at least 3 .*; 2 left out, the first: effect dry"
    with pytest.raises(ReverbSynthError, match=expected):
        build_data(wanted, tmp_path / "few")


def test_a_source_that_changed_is_refused_or_built_again(settings, sounds, tone, tmp_path):
    source = shutil.copytree(sounds, tmp_path / "source")
    (source / "t.csv").write_text("file,pitch\nmidi36.wav,36\n")
    wanted = settings(**{"data.source.path": str(source)})
    build_data(wanted, tmp_path / "data")
    before = digests(tmp_path / "data")
    (source / "midi47.wav").unlink()
    soundfile.write(source / "midi50.wav", tone(50, seconds=1.0), 16_000)
    soundfile.write(source / "midi40.wav", tone(41, seconds=1.0), 16_000)
    (source / "t.csv").write_text("file,pitch\nmidi36.wav,37\n")
    with pytest.raises(ReverbSynthError) as raised:
        build_data(wanted, tmp_path / "data")
    assert (
        "its source has changed since it was built: 1 added (source/midi50.wav), 1 removed "
        "(source/midi47.wav), 2 changed (source/midi40.wav, t.csv); choose another folder, or "
        "build it again with --rebuild"
    ) in str(raised.value)
    assert digests(tmp_path / "data") == before
    data = build_data(wanted, tmp_path / "data", rebuild=True)
    assert set(data.keys(*data.splits)) == {37, *range(38, 47), 50}
    assert contents(tmp_path / "data") == FILES
    assert build_data(wanted, tmp_path / "data").sha256 == data.sha256


def test_an_effects_file_that_changed_counts_too(settings, tone, tmp_path):
    rooms = [tmp_path / name / "room.wav" for name in ("first", "second")]
    for room in rooms:
        room.parent.mkdir()
        soundfile.write(room, tone(40, seconds=0.1), 16_000)
    parts = [{"kind": "convolution", "parameters": {"path": str(room)}} for room in rooms]
    chain = {"kind": "chain", "name": "convolution", "of": parts}
    wanted = settings(**{"data.effects": [{"kind": "dry"}, chain]})
    data = build_data(wanted, tmp_path / "data")
    assert data.vocabulary("effect") == ["dry", "convolution"]
    soundfile.write(rooms[0], tone(41, seconds=0.1), 16_000)
    with pytest.raises(ReverbSynthError, match=rf"1 changed \({rooms[0]}\)"):
        build_data(wanted, tmp_path / "data")


def test_a_source_that_changed_is_noticed_without_an_effects_file(settings, sounds, tone, tmp_path):
    source, room = shutil.copytree(sounds, tmp_path / "source"), tmp_path / "room.wav"
    soundfile.write(room, tone(40, seconds=0.1), 16_000)
    hall = {"kind": "convolution", "parameters": {"path": str(room)}}
    changes = {"data.source.path": str(source), "data.effects": [{"kind": "dry"}, hall]}
    built = build_data(settings(**changes), tmp_path / "data")
    room.unlink()
    assert build_data(settings(**changes), tmp_path / "data").sha256 == built.sha256
    soundfile.write(source / "midi50.wav", tone(50, seconds=1.0), 16_000)
    with pytest.raises(ReverbSynthError, match=r"1 added \(source/midi50\.wav\); choose"):
        build_data(settings(**changes), tmp_path / "data")


def test_a_data_set_whose_source_is_gone_stays_what_it_is(settings, sounds, tmp_path):
    source = shutil.copytree(sounds, tmp_path / "source")
    wanted = settings(**{"data.source.path": str(source)})
    built = build_data(wanted, tmp_path / "data")
    sounds_there = sorted(source.iterdir())
    for sound in sounds_there:
        sound.rename(tmp_path / sound.name)
    with pytest.raises(ReverbSynthError, match=r"source is not what it was built of \(.*no sounds"):
        build_data(wanted, tmp_path / "data")
    source.rmdir()
    assert build_data(wanted, tmp_path / "data").sha256 == built.sha256


def test_a_run_is_not_replaced(settings, small_run, tmp_path):
    """`data RUN` for `data RUN/data`, built again."""
    run = shutil.copytree(small_run.directory, tmp_path / "run")
    before = contents(run)
    with pytest.raises(ReverbSynthError, match="is a run, expected a data set"):
        build_data(settings(), run, rebuild=True)
    assert contents(run) == before


def test_other_settings_replace_a_data_set_on_request(settings, tmp_path):
    build_data(settings(), tmp_path / "data")
    with pytest.raises(ReverbSynthError, match=r"of other settings: .*; choose another folder, or"):
        build_data(settings(seed=1), tmp_path / "data")
    data = build_data(settings(seed=1), tmp_path / "data", rebuild=True)
    assert data.sha256 == build_data(settings(seed=1), tmp_path / "other").sha256
    (tmp_path / "data" / "train.tfrecord").write_bytes(b"damaged")
    assert build_data(settings(seed=1), tmp_path / "data", rebuild=True).sha256 == data.sha256


def test_velocity_as_a_label(settings, sounds, tmp_path):
    source = shutil.copytree(sounds, tmp_path / "source")
    for path in sorted(source.iterdir())[::2]:
        path.rename(path.with_name(f"{path.stem}_soft.wav"))
    wanted = settings(**{"data.source.path": str(source)})
    with pytest.raises(ReverbSynthError, match=r"12 notes have no velocity, .* midi37\.wav/dry"):
        build_data(wanted, tmp_path / "some").vocabulary("velocity")
    for path in sorted(source.glob("midi??.wav")):
        path.rename(path.with_name(f"{path.stem}_loud.wav"))
    data = build_data(wanted, tmp_path / "all")
    assert data.vocabulary("velocity") == [40, 112]
    assert {row["velocity"] for row in data.index("train")} == {40, 112}


def test_twins_too_loud_are_turned_down_together(settings, tmp_path):
    """The dry note and its twin keep the ratio that the effect gave them."""
    loud = {"kind": "reverb", "parameters": {"gain": 20.0}}
    wanted = settings(**{"data.effects": [{"kind": "dry"}, loud]})
    quiet = build_data(settings(), tmp_path / "quiet")
    data = build_data(wanted, tmp_path / "loud")
    assert data.manifest["turned_down"]["notes"] == 12
    assert 0 < data.manifest["turned_down"]["least_factor"] < 0.2
    for split in data.splits:
        notes, before = list(data.notes(split)), list(quiet.notes(split))
        assert all(np.abs(note.audio).max() <= 1 for note in notes)
        for dry, wet, was_dry, was_wet in zip(
            notes[::2], notes[1::2], before[::2], before[1::2], strict=True
        ):
            factor = np.abs(dry.audio).max() / np.abs(was_dry.audio).max()
            assert np.abs(wet.audio).max() == pytest.approx(1, abs=1e-5)
            np.testing.assert_allclose(wet.audio, 20 * factor * was_wet.audio, atol=2e-5)


def test_an_effect_that_fails_names_itself(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(Dry, "process", lambda self, audio, ids: audio * np.nan)
    with pytest.raises(ReverbSynthError, match=r"effect dry: note midi36\.wav: audio holds NaN"):
        build_data(settings(), tmp_path / "data")


def test_several_effects_of_one_kind(settings, tmp_path):
    chain = [
        {"kind": "dry"},
        {"kind": "reverb", "name": "room", "parameters": {"decay": 0.4}},
        {"kind": "reverb", "name": "hall", "parameters": {"decay": 4.0}},
    ]
    data = build_data(settings(**{"data.effects": chain}), tmp_path / "data")
    assert data.vocabulary("effect") == ["dry", "room", "hall"]
    first, *_ = data.index("train")
    assert first["id"] == f"{first['origin']}/dry"
    assert sum(data.count(split) for split in data.splits) == 36


def test_the_hash_names_the_data_alone(settings):
    base = data_hash(settings())
    assert data_hash(settings(**{"training.batch": 2})) == base
    assert data_hash(settings(seed=1)) != base
    assert data_hash(settings(**{"data.split": [0.6, 0.2, 0.2]})) != base


def test_a_source_is_the_same_however_it_is_spelled(settings, sounds, tmp_path, monkeypatch):
    built = build_data(settings(), tmp_path / "data")
    monkeypatch.chdir(sounds.parent)
    for path in (sounds.name, f"./{sounds.name}/", f"{sounds}/../{sounds.name}"):
        spelled = settings(**{"data.source": {"kind": "folder", "path": path}})
        assert data_hash(spelled) == data_hash(settings())
        assert build_data(spelled, tmp_path / "data").sha256 == built.sha256
    other = settings(**{"data.source": {"kind": "folder", "path": str(tmp_path)}})
    with pytest.raises(ReverbSynthError, match="holds a data set of other settings"):
        build_data(other, tmp_path / "data")


@pytest.mark.parametrize("place", [".", "data", "deep/data", ".."])
def test_the_source_is_no_place_for_the_data_set(settings, tone, tmp_path, place):
    source = tmp_path / "all" / "sounds"
    source.mkdir(parents=True)
    soundfile.write(source / "A1.wav", tone(33, seconds=0.1), 16_000)
    wanted = settings(**{"data.source": {"kind": "folder", "path": str(source)}})
    with pytest.raises(ReverbSynthError, match=r"overlaps with the source .* \(data.source.path\)"):
        build_data(wanted, source / place)
    assert [path.name for path in (tmp_path / "all").rglob("*")] == ["sounds", "A1.wav"]


def test_the_manifest_alone_answers_without_the_records(settings, tmp_path):
    """And nothing imports TensorFlow: the JAX backend may run where it is not installed."""
    import subprocess
    import sys

    build_data(settings(), tmp_path / "data")
    code = (
        "import sys; from reverbsynth.data.dataset import DataSet; "
        f"data = DataSet.open({str(tmp_path / 'data')!r}); "
        "assert len(list(data.notes('train'))) == data.count('train'); "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_manifest_is_one_line_a_key(settings, tmp_path):
    data = build_data(settings(), tmp_path / "data")
    text = (tmp_path / "data" / "manifest.json").read_text()
    assert len(text.splitlines()) == len(json.loads(text)) + 2
    assert data.manifest["settings_hash"] == data_hash(settings())


def test_an_offset_is_removed_before_the_effects_if_asked(settings, tone, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for pitch in range(36, 48):
        wave = 0.1 + tone(pitch, peak=0.2)
        soundfile.write(source / f"midi{pitch}.wav", wave, 16_000, "FLOAT")
    overrides = {"data.source.path": str(source)}
    plain = build_data(settings(**overrides), tmp_path / "plain")
    removed = build_data(
        settings(**overrides, **{"data.remove_offset": True}), tmp_path / "removed"
    )
    for before, after in zip(plain.notes("train"), removed.notes("train"), strict=True):
        assert before.audio.mean() > 0.05
        assert abs(after.audio.mean()) < 1e-3
        if after.effect == "dry":
            np.testing.assert_allclose(after.audio, audible(before.audio), atol=1e-6)
    assert "remove_offset" not in settings().non_default_values().get("data", {})


def test_keys_held_out_of_training(settings, tmp_path):
    data = build_data(settings(**{"data.train_every": 3}), tmp_path / "data")
    assert data.keys("train") == sorted(set(data.keys("train")) & {36, 39, 42, 45})
    assert data.keys(*data.splits) == list(range(36, 48))
    assert {37, 38, 40, 41, 43, 44, 46, 47} <= set(data.keys("valid", "test"))
    for split in data.splits:
        effects = Counter(row["origin"] for row in data.index(split))
        assert set(effects.values()) == {2}, "a note and its twin share a split"
    assert data_hash(settings()) == data_hash(settings(**{"data.train_every": 1}))
    assert data_hash(settings()) != data_hash(settings(**{"data.train_every": 3}))
