import base64
import io
import json
import re

import numpy as np
import pytest
import soundfile

from reverbsynth.data import preflight
from reverbsynth.data.build import build_data, check_data
from reverbsynth.errors import ReverbSynthError
from tests import chromium


def content(sheet):
    """What the page shows."""
    page = sheet.read_text()
    assert "http" not in re.sub(r'"sound": "[^"]*"', "", page)
    return json.loads(page.split("const data = ")[1].split(";\nconst add")[0])


def test_what_is_measured_of_a_note(tone):
    late = np.concatenate([np.zeros(8_000), tone(60, seconds=1.0, peak=0.5), np.zeros(40_000)])
    note = preflight.measured((late + 0.03).astype(np.float32))
    assert (note["onset"], note["length"]) == pytest.approx((0.5, 1.0), abs=0.02)
    assert note["peak"] == pytest.approx(-5.5, abs=0.1)
    assert note["offset"] == pytest.approx(0.03, abs=1e-3)
    assert (len(note["shape"]), note["shape"][:4], note["shape"][6]) == (48, "0000", "z")


def test_each_kind_of_doubt_is_a_line():
    fine = {"peak": -6.0, "onset": 0.01, "length": 2.0, "offset": 0.0}
    assert preflight.warnings({"a": fine}) == []
    bad = {"peak": -60.0, "onset": 2.5, "length": 0.017, "offset": 0.2}
    lines = preflight.warnings({"a": fine, "b": bad})
    assert [line.split(":")[0].split(" (")[0] for line in lines] == [
        "1 of 2 notes begin late",
        "1 of 2 notes are very short",
        "1 of 2 notes are very quiet",
        "1 of 2 notes have a constant offset",
    ]
    assert lines[0].endswith(": b (2.5 s)")


def test_a_check_writes_the_sheet_alone(settings, sounds, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for path in sounds.iterdir():
        (source / path.name).symlink_to(path)
    (source / "bad <script>.wav").write_bytes(b"none")
    wanted = settings(**{"data.source.path": str(source)})
    check = check_data(wanted, tmp_path / "data")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["sheet.html"]
    assert [bad["name"] for bad in check["skipped"]] == ["bad <script>.wav"]
    assert len(check["split"]) == 12
    shown = content(tmp_path / "data" / "sheet.html")
    assert [(note["pitch"], note["source"]) for note in shown["notes"]] == [
        (pitch, "name") for pitch in range(36, 48)
    ]
    assert any("bad <script>.wav: not a readable sound file" in line for line in shown["lines"])
    sound = base64.b64decode(shown["notes"][0]["sound"])
    assert len(soundfile.read(io.BytesIO(sound))[0]) == 64_000
    built = build_data(wanted, tmp_path / "data")
    assert content(tmp_path / "data" / "sheet.html") == shown
    assert {note["id"]: note["split"] for note in shown["notes"]} == check["split"]
    assert built.count("train") == 2 * list(check["split"].values()).count("train")
    with pytest.raises(ReverbSynthError, match="not a readable sound file"):
        check_data(wanted, tmp_path / "other", strict=True)
    assert not (tmp_path / "other").exists()


@pytest.mark.browser
def test_the_sheet_shows_and_plays_its_notes(settings, tmp_path):
    check_data(settings(), tmp_path / "data")
    with chromium.Page(tmp_path / "profile") as page:
        page.open((tmp_path / "data" / "sheet.html").as_uri())
        shown = "document.querySelectorAll('#notes tr').length"
        assert page.evaluate(shown) == 12
        assert page.evaluate("document.querySelector('#notes tr').innerText").startswith(
            "midi36.wav"
        )
        trained = page.evaluate("document.querySelectorAll('#keys .train').length")
        held = page.evaluate("document.querySelectorAll('#keys .held').length")
        assert (trained, trained + held) == (10, 12)
        page.evaluate("document.querySelector('#notes button').click()")
        page.wait_for("player.duration > 3.9 && player.duration < 4.1")
        assert page.errors == []
        assert all(address.startswith(("file:", "data:")) for address in page.requests)


def test_of_many_notes_some_can_be_played(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(preflight, "PLAYERS", 3)
    check_data(settings(), tmp_path / "data")
    notes = content(tmp_path / "data" / "sheet.html")["notes"]
    assert [note["pitch"] for note in notes if "sound" in note] == [36, 42, 47]
    assert len(notes) == 12
