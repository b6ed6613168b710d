"""Where presets depart from the paper, and what the departures were measured to be worth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from IPython.display import Markdown

from reverbsynth.book import workspace
from reverbsynth.book.bundle import thinned
from reverbsynth.book.chapters import training
from reverbsynth.settings import Settings, presets
from reverbsynth.training.stage_lengths import first_stage


def value(settings: Settings, name: str):
    group, field = name.split(".")
    return getattr(getattr(settings, group), field)


@pytest.mark.parametrize("preset", presets())
def test_the_listed_settings_are_all_that_differs(preset):
    settings = Settings.preset(preset)
    listed = training.deviations_from_paper(settings)
    again = Settings().replace(**{name: value(settings, name) for name in listed.index})
    kept = {"checkpoint_minutes", "samples", "griffin_lim_every", "seed"}
    for group in ("spectra", "gan", "losses", "optimizer", "training"):
        exclude = kept if group == "training" else None
        found, expected = (
            getattr(each, group).model_dump(exclude=exclude) for each in (again, settings)
        )
        assert found == expected
    assert (listed["the paper"] != listed["here"]).all()
    assert listed["what it is"].map(bool).all()


def test_the_paper_departs_in_nothing():
    assert training.deviations_from_paper(Settings.preset("paper")).empty


def test_recipes_show_what_was_measured(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    measured = workspace.results_table("recipes.csv")
    page = training.recipe_table()._repr_html_()
    assert {"laptop", "paper"} <= set(measured["recipe"])
    for name in measured["recipe"]:
        assert name in page
    assert measured["pitch_heard"].between(0, 100).all()
    assert measured.loc[measured["recipe"] == "laptop", "commit"].item()[:12] in page


def test_without_a_checkout_nothing_is_claimed(monkeypatch):
    monkeypatch.setattr(training, "results_table", lambda name: pd.DataFrame())
    assert isinstance(training.recipe_table(), Markdown)


class TestFindings:
    def test_changes_compare_the_first_tenth_with_the_last(self, run):
        changes = training.changes(run)
        row = changes.loc["real AC loss"]
        values = run.metrics()["real_pitch_loss"]
        assert row["first"] == pytest.approx(values[:4].mean())
        assert row["last"] == pytest.approx(values[-4:].mean())
        assert row["change"] == pytest.approx(row["last"] - row["first"])
        assert len(changes) == 7

    def test_consistency_is_measured_only_now_and_then(self, run):
        measured = run.metrics()["fake_consistency"].dropna()
        assert training.changes(run).loc["fake GL loss", "first"] == measured.iloc[0]

    def test_thinned_metrics_tell_the_same(self, run):
        whole = (training.changes(run), training.stage_history(run))
        metrics = run.metrics()
        # Made to divide evenly: forty steps in tens and fives, a tenth being four.
        thinned(metrics, rows=15).to_csv(run.metrics_path, index=False)
        few = training.changes(run)
        assert training.stage_history(run)["steps"].tolist() == whole[1]["steps"].tolist()
        assert training.stage_history(run)["seconds"].tolist() == whole[1]["seconds"].tolist()
        dense = [name for name in few.index if "GL" not in name]
        np.testing.assert_allclose(few.loc[dense], whole[0].loc[dense], rtol=1e-6)

    def test_history_adds_up(self, run):
        history = training.stage_history(run)
        assert list(history.index) == [0, 1]
        assert history["steps"].sum() == len(run.metrics())
        assert history["seconds"].sum() == pytest.approx(run.metrics()["seconds"].iloc[-1])

    def test_a_manifest_is_shown_whole(self, run):
        facts = training.run_facts(run)
        assert run.manifest["data_sha256"] in facts.iloc[:, 1].tolist()
        run.manifest.update(cores=2, wall_seconds=1800.0)
        told = training.run_facts(run).set_index("")[" "]
        assert told["training time"] == "30 minutes, 1.00 core-hours"
        assert f"{training.CORE_HOUR:.2f} dollars" in told.tolist()
        assert told["begun from"] == "nothing"

    def test_what_a_run_was_begun_from_is_told_beside_its_own_cost(self, run):
        run.manifest["origin"] = {"name": "old", "stage": 8, "facts": {"images_seen": 1234}}
        told = training.run_facts(run).set_index("")[" "]
        assert told["begun from"] == "old, stage 8, 1,234 images, which come on top"
        run.manifest["origin"]["facts"] = {}
        assert training.run_facts(run).set_index("")[" "]["begun from"] == "old, stage 8"


class TestTable5:
    def test_the_preset_departs_from_table_5_in_one_row(self):
        frame = training.parameter_table(Settings.preset("paper"))
        shown = frame["preset paper"].str.replace(" (2×16)", "")
        apart = frame.index[frame["value"] != shown]
        assert list(apart) == ["transition_stage_num_images"]
        text = training.parameter_table(Settings.preset("paper"), training.TEXT)
        assert text.loc["optimizer", "preset paper"].startswith("Adam")
        assert list(text["value"][1:]) == list(text["preset paper"][1:])

    def test_a_run_by_the_clock_has_no_images_in_it(self):
        settings = Settings.preset(
            "tiny", **{"training.last_stage": 1, "training.stage_minutes": [1, 2]}
        )
        frame = training.parameter_table(settings)
        assert frame.loc["transition_stage_num_images"].iloc[-1] == "by the clock"
        assert frame.columns[-1] == "this run"
        assert training.parameter_table(Settings.preset("tiny")).columns[-1] == "preset tiny"

    def test_images_of_stages_of_unequal_length_are_counted(self):
        column = training.parameter_table(Settings.preset("laptop"))["preset laptop"]
        expected = sum(Settings.preset("laptop").training.stage_images)
        assert column["total_num_images"] == f"{expected:,}"
        assert column["stable_stage_num_images"] == "by stage"
        assert column["transition_stage_num_images"] == "by stage"


def test_a_live_training_takes_the_minutes_it_is_given(monkeypatch):
    seen = []
    monkeypatch.setattr(workspace.Workspace, "run", property(lambda self: seen.append(self)))
    for preset, minutes in (("laptop", 2.0), ("tiny", 0.2)):
        place = workspace.workspace(preset)
        training.live(place, 2.0)
        made = seen.pop()
        assert sum(made.settings.training.stage_minutes) == pytest.approx(minutes)
        assert made.data_directory == place.data_directory
        assert made.settings.training.last_stage == 6
        assert first_stage(made.settings.training) == 4


def test_a_live_training_takes_the_data_of_the_run_that_is_shown(monkeypatch, small_settings):
    """Those of a data set whose sounds are gone from where they were, and of another seed."""
    seen = []
    monkeypatch.setattr(workspace.Workspace, "run", property(lambda self: seen.append(self)))
    settings = small_settings.replace(seed=7)
    place = workspace.Workspace(settings, settings, Path("run"), Path("made"), Path("data"))
    training.live(place, 2.0)
    (made,) = seen
    assert made.data_directory == Path("data")
    assert made.settings.seed == 7
    assert made.run_directory.parent == Path("made") / "runs"
