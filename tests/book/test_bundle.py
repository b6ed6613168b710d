"""Results bundles: what is kept of a run, what it weighs, and that it serves as a run."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import reverbsynth.book.bundle as bundle_module
from reverbsynth import provenance
from reverbsynth.book.bundle import bundle, thinned
from reverbsynth.book.chapters import training
from reverbsynth.book.chapters.losses import label_curves
from reverbsynth.book.chapters.stages import StageFigures
from reverbsynth.book.workspace import workspace
from reverbsynth.cli import app
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation.evaluate import evaluate
from reverbsynth.evaluation.report import FILE, Report
from reverbsynth.files.atomic import is_partial
from reverbsynth.gan.schedule import stage_resolution
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.widgets import panel
from reverbsynth.training.run import Run


@pytest.fixture(scope="module")
def run(small_run, tmp_path_factory) -> Run:
    """A run with a report, so that nothing is evaluated here."""
    directory = tmp_path_factory.mktemp("run") / "run"
    shutil.copytree(small_run.directory, directory)
    facts = {
        "stage": small_run.stages[-1],
        "seed": small_run.settings.seed,
        "settings": small_run.settings.evaluation.model_dump(mode="json"),
        "images_seen": small_run.manifest["images_seen"],
        "data_sha256": small_run.manifest["data_sha256"],
        "code": provenance.code_hash(),
    }
    Report(facts).save(directory / FILE)
    return Run.open(directory)


@pytest.fixture(scope="module")
def kept(run, small_data, tmp_path_factory) -> Run:
    """Its bundle."""
    return bundle(run, tmp_path_factory.mktemp("results") / "night", small_data, samples=2)


def test_a_bundle_is_a_run(kept, run):
    assert kept.stages == run.stages
    assert list(kept.labels.items()) == list(run.labels.items())
    assert tuple(kept.labels) == run.settings.gan.labels
    assert kept.settings.hash == run.settings.hash
    assert kept.bundled
    assert not run.bundled


def test_its_instrument_is_the_runs_in_float16(kept, run):
    expected = Instrument.from_run(run).in_float16().generator.weights
    for found in (
        Instrument.from_run(kept).generator.weights,
        Instrument.load(kept.directory / "instrument.safetensors").generator.weights,
        Instrument.load(kept.directory).generator.weights,
    ):
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_other_stages_instruments_are_not_in_it(kept):
    with pytest.raises(ReverbSynthError, match="instrument of stage 2 only, not of stage 1"):
        kept.weights(1)


def test_an_instrument_that_was_changed_is_not_played(kept, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(kept.directory, copied)
    path = copied / "instrument.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ReverbSynthError, match=r"instrument\.safetensors: changed since"):
        Instrument.from_run(copied)


def test_a_panel_offers_the_stage_that_it_holds(kept):
    shown = panel(kept)
    assert shown.stage.options == (2,)
    assert shown.stage.disabled


def test_a_few_samples_of_each_stage_stay_at_its_own_resolution(kept, run):
    for stage in run.stages:
        whole, few = run.samples(stage), kept.samples(stage)
        assert few.real.shape == (2, *stage_resolution(stage), 2)
        # Of three the first and the last: both effects.
        assert few.labels == {name: values[::2] for name, values in whole.labels.items()}
        assert len(set(few.labels["effect"])) == 2
        np.testing.assert_allclose(few.real, whole.real[::2], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(few.generated, whole.generated[::2], rtol=1e-3, atol=1e-4)
        with np.load(kept.directory / f"stages/{stage:02d}/samples.npz") as stored:
            assert stored["real"].dtype == stored["generated"].dtype == np.float16


def test_its_report_is_the_runs_and_nothing_is_evaluated_again(kept, small_data, monkeypatch):
    def refuse(*_):
        raise AssertionError("evaluated again")

    monkeypatch.setattr("reverbsynth.evaluation.evaluate._evaluated", refuse)
    changed = kept.settings.replace(**{"evaluation.notes": 999})
    assert evaluate(kept, small_data, changed, allow_other_data=True).facts["stage"] == 2
    assert evaluate(kept, small_data).facts["stage"] == 2
    with pytest.raises(AssertionError, match="evaluated again"):
        evaluate(kept, small_data, changed)


def test_its_report_is_shown_without_data_unless_another_is_asked_for(kept):
    shown = CliRunner().invoke(app, ["evaluate", str(kept.directory)])
    assert shown.exit_code == 0, shown.output
    assert "a results bundle; this is the report it keeps, on its own data" in shown.output
    early = CliRunner().invoke(app, ["evaluate", str(kept.directory), "--stage", "1"])
    assert "keeps no report on stage 1" in str(early.exception)
    asked = CliRunner().invoke(app, ["evaluate", str(kept.directory), "--set", "seed=1"])
    assert "no data in a results bundle, expected --data" in str(asked.exception)


def test_its_manifest_names_no_folder_of_the_machine_and_every_file(kept, run):
    manifest = json.loads((kept.directory / "manifest.json").read_text())
    assert "data_directory" not in manifest
    assert str(run.directory.parent) not in json.dumps(manifest)
    for name in ("commit", "settings_hash", "data_sha256", "seed", "versions", "wall_seconds"):
        assert manifest[name] == run.manifest[name]
    assert manifest["dirty"] == run.manifest["commit"].endswith("+")
    files = {
        path.relative_to(kept.directory).as_posix()
        for path in kept.directory.rglob("*")
        if path.is_file()
    }
    assert set(manifest["bundle"]["files"]) == files - {"manifest.json"}


def test_it_holds_the_instruments_card(kept, run):
    text = (kept.directory / "README.md").read_text()
    assert f"# {kept.directory.name}" in text
    assert run.manifest["data_sha256"] in text


def test_settings_that_were_changed_are_refused(kept, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(kept.directory, copied)
    path = copied / "settings.yaml"
    path.write_text(path.read_text().replace("seed: 0", "seed: 1"))
    with pytest.raises(ReverbSynthError, match=r"settings\.yaml has hash"):
        Run.open(copied)


def test_it_outlives_settings_that_are_added_later(kept, tmp_path, monkeypatch):
    monkeypatch.setattr("reverbsynth.settings.settings.settings_hash", lambda _: "another12345")
    assert Run.open(kept.directory).manifest["settings_hash"] != "another12345"


def test_a_file_that_was_changed_or_lost_is_named(kept, tmp_path):
    bundle_module.check(kept)
    copied = tmp_path / "copied"
    shutil.copytree(kept.directory, copied)
    (copied / "metrics.csv").write_text("images\n")
    with pytest.raises(ReverbSynthError, match=r"metrics\.csv: has SHA-256"):
        bundle_module.check(Run.open(copied))
    (copied / "metrics.csv").unlink()
    with pytest.raises(ReverbSynthError, match=r"metrics\.csv: cannot be read"):
        bundle_module.check(Run.open(copied))


def test_what_the_repository_ships_is_whole():
    folder = Path(__file__).parents[2] / "book" / "results"
    assert "make book RUN=" in (folder / "README.md").read_text()
    manifests = sorted(folder.glob("*/manifest.json"))
    assert {"laptop", "studio", "effects"} <= {path.parent.name for path in manifests}
    for manifest in manifests:
        bundle_module.check(Run.open(manifest.parent))


def test_a_workspace_shows_it(kept):
    place = workspace(run=kept.directory)
    assert place.run.bundled
    assert place.instrument.stage == 2
    assert len(place.run.metrics()) == len(kept.metrics())


def test_a_book_draws_it_as_it_draws_the_run(kept, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert training.stage_history(kept).equals(training.stage_history(run))
    np.testing.assert_allclose(training.changes(kept), training.changes(run), rtol=1e-5)
    text = StageFigures(kept, 2).slider("stages")._repr_html_()
    assert text.count('class="rs-slide"') == len(run.stages)
    assert kept.schedule.span(2) == run.schedule.span(2)
    assert label_curves(kept).data.count("<figure") == 2 * (len(run.labels) - 1)


class TestThinned:
    def metrics(self, lengths: list[int]) -> pd.DataFrame:
        count, rng = sum(lengths), np.random.default_rng(0)
        return pd.DataFrame(
            {
                "images": 8 * np.arange(1, count + 1),
                "stage": np.repeat(np.arange(len(lengths)), lengths),
                "blend": rng.random(count),
                "seconds": np.arange(count) / 2,
                "loss": rng.normal(size=count),
                "real_consistency": np.where(np.arange(count) % 7 == 0, rng.random(count), np.nan),
            }
        )

    def test_each_stage_keeps_its_course(self):
        metrics = self.metrics([1000, 30, 5])
        few = thinned(metrics, rows=20)
        assert few.groupby("stage").size().tolist() == [20, 15, 5]
        assert few["steps"].sum() == len(metrics)
        for stage, part in metrics.groupby("stage"):
            mine = few[few["stage"] == stage]
            for name in ("images", "seconds", "blend"):
                assert mine[name].iloc[-1] == part[name].iloc[-1]
            mean = np.average(mine["loss"], weights=mine["steps"])
            assert mean == pytest.approx(part["loss"].mean())

    def test_a_row_has_the_mean_of_what_it_measured(self):
        metrics = self.metrics([100])
        few = thinned(metrics, rows=10)
        for place, part in metrics.groupby(np.arange(100) // 10):
            assert few.loc[place, "loss"] == pytest.approx(part["loss"].mean())
            assert few.loc[place, "real_consistency"] == pytest.approx(
                part["real_consistency"].mean()
            )

    def test_a_short_run_stays_as_it_is(self):
        metrics = self.metrics([12, 7])
        few = thinned(metrics, rows=20)
        pd.testing.assert_frame_equal(few.drop(columns="steps"), metrics)


class TestRefusals:
    def test_a_directory_in_use(self, run, small_data, tmp_path):
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(ReverbSynthError, match="no results bundle"):
            bundle(run, tmp_path, small_data, replace=True)
        assert (tmp_path / "notes.txt").read_text() == "mine"

    def test_a_bundle_is_replaced_only_when_asked(self, run, kept, small_data, tmp_path):
        copied = tmp_path / "copied"
        shutil.copytree(kept.directory, copied)
        with pytest.raises(ReverbSynthError, match="--replace"):
            bundle(run, copied, small_data)
        (copied / "old.flac").write_bytes(b"x")
        bundle(run, copied, small_data, replace=True)
        assert not (copied / "old.flac").exists()

    @pytest.mark.parametrize("begun", [False, True])
    def test_one_that_was_killed_while_it_replaced_another(
        self, run, kept, small_data, tmp_path, begun
    ):
        place = tmp_path / "night"
        shutil.copytree(kept.directory, tmp_path / ".night.old")
        shutil.copytree(kept.directory, tmp_path / ".night.0123abcd.partial")
        if begun:
            shutil.copytree(kept.directory, place)
        with pytest.raises(ReverbSynthError, match="--replace"):
            bundle(run, place, small_data)
        assert [path.name for path in tmp_path.iterdir()] == ["night"]
        bundle_module.check(Run.open(place))

    @pytest.mark.parametrize("place", [".", ".."])
    def test_a_place_that_is_there(self, run, monkeypatch, tmp_path, place):
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(app, ["bundle", str(run.directory), place])
        assert "expected the name of a bundle" in str(done.exception)
        assert list(tmp_path.iterdir()) == []

    def test_a_replacement_that_fails_at_the_last_step(
        self, run, kept, small_data, tmp_path, monkeypatch
    ):
        place = tmp_path / "night"
        shutil.copytree(kept.directory, place)
        rename = os.replace

        def fail(source, target):
            if Path(target) == place and is_partial(Path(source)):
                raise OSError(28, "No space left on device")
            rename(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", fail)
            with pytest.raises(ReverbSynthError, match="cannot be written"):
                bundle(run, place, small_data, replace=True)
        assert [path.name for path in tmp_path.iterdir()] == ["night"]
        bundle_module.check(Run.open(place))

    def test_a_bundle_of_a_bundle(self, kept, tmp_path):
        with pytest.raises(ReverbSynthError, match="expected a run's own directory"):
            bundle(kept, tmp_path / "again")

    @pytest.mark.parametrize("limit", ["LARGEST_FILE", "LARGEST_BUNDLE"])
    def test_what_is_too_large_leaves_nothing(self, run, small_data, tmp_path, monkeypatch, limit):
        monkeypatch.setattr(bundle_module, limit, 1000)
        with pytest.raises(ReverbSynthError, match="expected at most 1,000") as caught:
            bundle(run, tmp_path / "large", small_data)
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_the_command_says_what_it_wrote(self, run, tmp_path):
        target = tmp_path / "night"
        done = CliRunner().invoke(app, ["bundle", str(run.directory), str(target)])
        assert done.exit_code == 0, done.output
        assert f"make book RUN={target}" in done.output
        assert Run.open(target).bundled
