"""Several seeds of a recipe: a bundle keeps their numbers, and tables and verdicts use them all."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reverbsynth import provenance
from reverbsynth.book.bundle import bundle, check
from reverbsynth.book.chapters import evaluation as chapter
from reverbsynth.cli import app
from reverbsynth.data.build import data_hash
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation import claims, effect_transfer, seeds
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.evaluate import evaluate, kept_report
from reverbsynth.evaluation.report import FILE, Report, Row
from reverbsynth.evaluation.seeds import other_splits, together
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run
from tests.evaluation.test_claims import CEILING


def test_a_training_seed_changes_the_training_and_not_the_data():
    settings = Settings.preset("tiny")
    other = settings.replace(**{"training.seed": 1})
    assert (settings.training_seed, other.training_seed, other.seed) == (0, 1, 0)
    assert settings.replace(seed=3).training_seed == 3
    assert data_hash(other) == data_hash(settings)
    assert other.hash != settings.hash


def test_train_takes_another_seed_for_a_new_run_only(small_run, small_data):
    command = ["train", str(small_run.directory), "--data", str(small_data.directory), "--seed"]
    assert CliRunner().invoke(app, [*command, "0"]).exit_code == 0
    refused = CliRunner().invoke(app, [*command, "1"])
    assert "training.seed: found None, expected 1" in str(refused.exception)


def test_a_measure_of_several_seeds_is_their_mean_and_holds_all_their_intervals():
    found = together([Measure(0.9, 0.85, 0.95, 200), Measure(0.96, 0.93, 0.98, 150)])
    assert found == Measure(pytest.approx(0.93), 0.85, 0.98, 150, seeds=(0.9, 0.96))
    assert found.text(1, 100) == "93.0 (90.0 to 96.0)"
    assert together([found, Measure(missing_reason="NaN")]).missing_reason == "NaN"


def report(run: Run, accuracy: float) -> Report:
    """A report whose measures are the ceiling's, but for the accuracy of the pitch."""
    rows = []
    for key, top in CEILING.items():
        ceiling = Measure(top, top, top, 80)
        value = accuracy if key == "pitch.accuracy" else top
        generated = Measure(value, value - 0.005, value, 200)
        rows.append(Row(key, "Group", key, "", 3, ceiling, ceiling, generated))
    facts = {
        "stage": run.stages[-1],
        "seed": run.settings.seed,
        "settings": run.settings.evaluation.model_dump(mode="json"),
        "images_seen": run.manifest["images_seen"],
        "data_sha256": run.manifest["data_sha256"],
        "code": provenance.code_hash(),
        "wet": None,
        "labels": ["pitch", "effect"],
        "notes": {"generated": 200},
        "wet_share": 0.5,
    }
    made = Report(facts, rows, asked={"pitch": [40]})
    made.verdicts = claims.verdicts(made, run.settings.evaluation.claims)
    return made


def trial(name: str, distance: float) -> effect_transfer.TransferTrial:
    """A trial whose result is so far from the true twin; the recording is 5, a response 3 away."""
    by_method = {"nothing": 5.0, "network": distance, "response": 3.0}
    of_all = {
        method: dict.fromkeys(effect_transfer.DISTANCES, value)
        for method, value in by_method.items()
    }
    return effect_transfer.TransferTrial(name, name, 40, "reverb", [0.0], {}, 1.0, [], of_all)


@pytest.fixture(scope="module")
def runs(small_settings, small_run, small_data, tmp_path_factory) -> dict[str, Run]:
    """Runs of a recipe with their reports: another seed of training, and another split."""
    folder, runs = tmp_path_factory.mktemp("runs"), {}
    for name, changed in (("first", {}), ("seed", {"training.seed": 5}), ("split", {"seed": 5})):
        settings = small_settings.replace(**changed)
        shutil.copytree(small_run.directory, folder / name)
        (folder / name / "settings.yaml").write_text(settings.to_yaml())
        path = folder / name / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest |= {"settings_hash": settings.hash, "seed": settings.training_seed}
        path.write_text(json.dumps(manifest))
        runs[name] = Run.open(folder / name)
        if name != "split":
            report(runs[name], 0.99 if name == "first" else 0.8).save(folder / name / FILE)
    facts = {
        "data_sha256": small_data.sha256,
        "stage": 2,
        "images_seen": small_run.manifest["images_seen"],
        "seed": 0,
        "code": provenance.code_hash(),
        **{
            name: getattr(small_settings.evaluation, f"transfer_{name}")
            for name in ("notes", "starts", "steps")
        },
    }
    for name, distance in (("first", 4.0), ("seed", 6.0)):
        made = effect_transfer.TransferTrials(facts, [trial(number, distance) for number in "ab"])
        made.save(folder / name / effect_transfer.FILE)
    return runs


@pytest.fixture(scope="module")
def published(runs, small_data, tmp_path_factory) -> Run:
    """The bundle of two seeds."""
    target = tmp_path_factory.mktemp("results") / "bundle"
    seed = str(runs["seed"].directory)
    first = str(runs["first"].directory)
    done = CliRunner().invoke(app, ["bundle", first, str(target), "--seeds", seed])
    assert done.exit_code == 0, done.exception
    return Run.open(target)


def test_a_bundle_keeps_the_numbers_of_a_seed_and_not_its_instrument(published):
    kept = sorted(path.name for path in (published.directory / "seeds" / "0-5").iterdir())
    assert kept == [
        "applied.json",
        "evaluation.json",
        "manifest.json",
        "metrics.csv",
        "settings.yaml",
    ]
    check(published)


def test_tables_and_verdicts_are_of_all_seeds(published, runs, small_data):
    alone, both = evaluate(runs["first"], small_data), evaluate(published, small_data)
    assert both["pitch.accuracy"].text("generated") == "0.895 (0.800 to 0.990)"
    assert both["pitch.accuracy"].ceiling == alone["pitch.accuracy"].ceiling
    before, after = ({v.key: v for v in found.verdicts} for found in (alone, both))
    assert before["pitch"].verdict == claims.HOLDS
    assert after["pitch"].verdict == claims.UNDECIDED
    assert after["pitch"].evidence.startswith("in 1 of 2 seeds; ")
    assert after["tune"].verdict == claims.HOLDS
    assert both.asked == alone.asked
    assert len(both.facts["training_seeds"]) == 2
    assert kept_report(published).rows == both.rows
    shown = chapter.seeds(both, published)
    assert shown.loc["pitch.accuracy"].tolist() == ["0.990", "0.800"]
    assert list(shown) == ["seed 0", "seed 5"]
    assert "seed 5" in chapter.luck(both, published).data


def test_what_one_seed_did_not_measure_no_verdict_is_about(
    published, runs, small_data, monkeypatch
):
    alone = evaluate(runs["first"], small_data)
    (kept,) = seeds._kept(published)
    missing = Measure(notes=3, missing_reason="silent")
    rows = [
        replace(row, generated=missing) if row.key == "pitch.accuracy" else row
        for row in kept[1].rows
    ]
    monkeypatch.setattr(seeds, "_kept", lambda run: [(kept[0], replace(kept[1], rows=rows))])
    found = {v.key: v for v in seeds.with_seeds(alone, published).verdicts}
    assert found["pitch"].verdict == claims.NOT_TESTED


def test_effects_on_recordings_are_of_all_seeds(published, small_settings, small_data):
    trials = effect_transfer.apply_to_held_out(published, small_data)
    few = small_settings.replace(**{"evaluation.min_notes": 2})
    table = trials.table(few).set_index("method")
    gain = "gain, as a share of the impulse response's"
    network, response = table.loc["the network"], table.loc["estimated impulse response"]
    distance = effect_transfer.DISTANCES["spectrum"]
    assert network[distance] == "5.00 (4.00 to 6.00)"
    assert network[gain] == "0 (-50 to 50)%"
    assert network["nearer than left as it was"] == "2, 0 of 2"
    assert response[distance] == "3.00 [3.00, 3.00]"
    assert response["nearer than the network"] == "2, 2 of 2"


def test_effects_on_other_recordings_do_not_count(published, small_data, tmp_path):
    shutil.copytree(published.directory, tmp_path / "bundle")
    path = tmp_path / "bundle" / "seeds" / "0-5" / effect_transfer.FILE
    kept = effect_transfer.TransferTrials.load(path)
    replace(kept, facts={**kept.facts, "data_sha256": "other"}).save(path)
    assert not effect_transfer.apply_to_held_out(Run.open(tmp_path / "bundle"), small_data).seeds
    assert effect_transfer.apply_to_held_out(published, small_data).seeds


def test_another_split_is_shown_apart(published, tmp_path):
    shutil.copytree(published.directory, tmp_path / "bundle")
    run = Run.open(tmp_path / "bundle")
    first = kept_report(run)
    path = tmp_path / "bundle" / "seeds" / "0-5" / FILE
    kept = Report.load(path)
    replace(kept, facts={**kept.facts, "data_sha256": "other"}).save(path)
    alone = kept_report(run)
    assert alone["pitch.accuracy"].generated.seeds == ()
    assert [each.facts["data_sha256"] for each in other_splits(alone, run)] == ["other"]
    assert list(chapter.seeds(alone, run)) == ["seed 0", "split 0"]
    assert other_splits(first, published) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "found the run's seed 0 and training.seed 0, expected another"),
        ({"training.seed": 5, "training.batch": 2}, "training.batch: found 2, expected 4"),
    ],
)
def test_only_runs_of_the_recipe_are_seeds_of_it(runs, tmp_path: Path, changed, message):
    shutil.copytree(runs["first"].directory, tmp_path / "other")
    settings = runs["first"].settings.replace(**changed)
    (tmp_path / "other" / "settings.yaml").write_text(settings.to_yaml())
    path = tmp_path / "other" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "settings_hash": settings.hash}))
    with pytest.raises(ReverbSynthError, match=message) as caught:
        bundle(runs["first"], tmp_path / "bundle", seeds=[tmp_path / "other"])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "bundle").exists()
