"""The listening test: its page asks and saves, and the answers are summed up."""

import json

import pytest

from benchmarks.listening_test import (
    ANCHOR,
    TWIN,
    abx_results,
    rating_results,
    write_listening_test,
)
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.effect_transfer import METHODS, TransferTrial, TransferTrials
from tests import chromium
from tests.instruments import untrained

BOOTSTRAP = Bootstrap(resamples=100, least=2)


@pytest.fixture(scope="module")
def page(small_data, tmp_path_factory):
    """The page of one trial, whose change keeps everything as it is."""
    note = next(note for note in small_data.notes("test") if note.effect == "dry")
    instrument = untrained({"pitch": [note.pitch], "effect": ["dry", "reverb"]}, 0, latent_size=4)
    weights = [[1.0] + [0.0] * 15] * 2
    names = (note.id, note.origin, note.pitch, "reverb", [0.1] * 4, {"effect": "dry"}, 0.0)
    spectrum = {"spectrum": 1.0}
    distances = {"network": spectrum, "nothing": spectrum}
    trials = TransferTrials({}, [TransferTrial(*names, weights, distances)])
    path = tmp_path_factory.mktemp("listening") / "test.html"
    write_listening_test(path, trials, instrument, small_data)
    with pytest.raises(ReverbSynthError, match="found no trials of effects"):
        write_listening_test(path, TransferTrials({}), instrument, small_data)
    return path


def answered(folder, name, hidden, right=(True, True)):
    """A file of answers as the page saves it."""
    answers = [{"trial": f"abx-{i}", "kind": "abx", "right": each} for i, each in enumerate(right)]
    for number in range(2):
        for method, rating in ((TWIN, hidden), (METHODS["network"], 60 + number), (ANCHOR, 20)):
            answers.append(
                {"trial": f"r-{number}", "kind": "rating", "method": method, "rating": rating}
            )
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"format": 1, "listener": name, "answers": answers}))
    return path


def test_right_answers_are_held_against_guessing(tmp_path):
    paths = [answered(tmp_path, "a", 100), answered(tmp_path, "b", 100, (True, False))]
    found = abx_results(paths)
    assert found.loc["all"].tolist() == [3, 4, 0.3125]
    assert found.loc["a", "right"] == 2


def test_ratings_of_who_misses_the_hidden_twin_do_not_count(tmp_path):
    paths = [answered(tmp_path, "a", 100), answered(tmp_path, "b", 30)]
    found = rating_results(paths, BOOTSTRAP)
    assert found["answers"].tolist() == [2, 2, 2]
    assert found.loc[METHODS["network"], "rating"].startswith("60")
    assert rating_results([], BOOTSTRAP).empty
    assert abx_results([]).empty


def test_another_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "other.json").write_text('{"format": 1, "answers": [3]}')
    with pytest.raises(ReverbSynthError, match=r"other\.json: expected the answers"):
        abx_results([tmp_path / "other.json"])


def test_the_page_needs_no_other_file(page):
    content = page.read_text(encoding="utf-8")
    assert content.count("data:audio/flac;base64,") == 2 + 4 + 2
    assert "http" not in content


@pytest.mark.browser
def test_the_page_asks_and_saves(page, tmp_path):
    with chromium.Page(tmp_path / "profile") as browser:
        browser.open(page.as_uri())
        browser.evaluate("document.getElementById('listener').value = 'me'")
        browser.evaluate("document.getElementById('begin').click()")
        browser.evaluate("document.querySelector('.choice').click()")
        assert browser.evaluate("document.querySelector('.choice').disabled")
        browser.evaluate(
            "document.querySelectorAll('input').forEach((each) => {"
            "each.value = 95; each.dispatchEvent(new Event('input')); })"
        )
        browser.evaluate("document.querySelector('.choice').click()")
        saved = browser.evaluate(
            "fetch(document.getElementById('save').href).then((file) => file.text())"
        )
        assert not browser.errors
    (tmp_path / "me.json").write_text(saved)
    assert abx_results([tmp_path / "me.json"]).loc["me", "of"] == 1
    assert len(rating_results([tmp_path / "me.json"], BOOTSTRAP)) == 4
