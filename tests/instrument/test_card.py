"""The card of an instrument."""

import json
import shutil

import pytest
import yaml

from reverbsynth.files.reading import read_json
from reverbsynth.instrument.card import card
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.shipped import shipped
from reverbsynth.training.run import Run
from tests.instruments import untrained


def parts(text: str) -> tuple[dict, str]:
    header, _, body = text.removeprefix("---\n").partition("---\n")
    return yaml.safe_load(header), body


@pytest.mark.parametrize("name", list(shipped()))
def test_each_instrument_that_is_shipped_has_its_card(name):
    folder = shipped()[name].parent
    run = Run.open(folder)
    text = card(Instrument.load(name), name, run)
    assert (folder / "README.md").read_text(encoding="utf-8") == text
    header, body = parts(text)
    (result,) = header["model-index"][0]["results"]
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    rows = {row["key"]: row for row in read_json(folder / "evaluation.json")["rows"]}
    accuracy = rows["pitch.accuracy"]["generated"]["value"]
    assert values["pitch.accuracy"] == pytest.approx(accuracy, abs=1e-4)
    assert f"| pitch accuracy | {100 * accuracy:.1f} % |" in body
    for said in ("TimGM6mb", run.manifest["data_sha256"], "hours on", "Intended use"):
        assert said in body


def test_the_card_of_an_instrument_without_its_run_says_what_is_not_known():
    header, body = parts(card(untrained({"pitch": [40, 43]}, 2), "plain"))
    assert header["license"] == "other"
    assert "model-index" not in header
    assert "reverbsynth play plain --pitch" in body
    assert "reverbsynth play" not in card(untrained({"pitch": [40, 43]}, 2), "page", beside=False)
    assert "pitch: E2 to G2 (MIDI 40 to 43)" in body
    assert "came without its run" in body
    assert "It has not been measured." in body


def test_the_licence_of_notes_from_a_soundfont_of_ones_own_is_not_known(tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(shipped()["laptop"].parent, folder)
    run = Run.open(folder)
    own = run.settings.replace(**{"data.source.path": "/music/grand.sf2"})
    header, body = parts(card(Instrument.load("laptop"), "own", Run(folder, own, run.manifest)))
    assert header["license"] == "other"
    assert "notes rendered from grand.sf2, whose licence is its maker's to state" in body
    assert "TimGM6mb" not in body


def test_a_chain_of_effects_has_the_names_of_its_labels(tmp_path):
    run = Run.open(shipped()["laptop"].parent)
    chain = {"kind": "chain", "of": [{"kind": "delay"}, {"kind": "reverb", "name": "hall"}]}
    own = run.settings.replace(**{"data.effects": [{"kind": "dry"}, chain]})
    _, body = parts(card(Instrument.load("laptop"), "own", Run(tmp_path, own, run.manifest)))
    assert "effects: dry, delay+hall" in body


def test_the_measures_are_those_of_the_instruments_own_stage_and_training(tmp_path):
    folder = tmp_path / "laptop"
    shutil.copytree(shipped()["laptop"].parent, folder)
    run, earlier = Run.open(folder), untrained({"pitch": [40, 43]}, 2)
    assert "It has not been measured." in card(earlier, "earlier", run)
    report = read_json(folder / "evaluation.json")
    report["facts"] |= {"stage": 2, "images_seen": None}
    (folder / "evaluation-02.json").write_text(json.dumps(report))
    assert "| pitch accuracy |" in card(earlier, "earlier", run)
    report["facts"]["stage"] = run.stages[-1]  # but of other images
    (folder / "evaluation.json").write_text(json.dumps(report))
    assert "It has not been measured." in card(Instrument.load("laptop"), "trained on", run)


def test_measures_on_other_notes_are_not_those_of_the_instrument(tmp_path):
    run = Run.open(shutil.copytree(shipped()["laptop"].parent, tmp_path / "laptop"))
    run.manifest["data_sha256"] = "of a piano"
    assert "It has not been measured." in card(Instrument.load("laptop"), "piano", run)


def test_a_report_that_lacks_the_number_of_notes_still_makes_a_card(tmp_path):
    folder = tmp_path / "laptop"
    shutil.copytree(shipped()["laptop"].parent, folder)
    report = read_json(folder / "evaluation.json")
    del report["facts"]["notes"]
    (folder / "evaluation.json").write_text(json.dumps(report))
    _, body = parts(card(Instrument.load("laptop"), "laptop", Run.open(folder)))
    assert "| pitch accuracy |" in body
