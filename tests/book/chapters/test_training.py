"""Where presets depart from the paper, and what the departures were measured to be worth."""

import pandas as pd
import pytest
from IPython.display import Markdown

from reverbsynth.book import workspace
from reverbsynth.book.chapters import training
from reverbsynth.settings import Settings, presets


def value(settings: Settings, name: str):
    group, field = name.split(".")
    return getattr(getattr(settings, group), field)


@pytest.mark.parametrize("preset", presets())
def test_the_listed_settings_are_all_that_differs(preset):
    settings = Settings.preset(preset)
    listed = training.deviations_from_paper(settings)
    again = Settings().replace(**{name: value(settings, name) for name in listed.index})
    kept = {"checkpoint_minutes", "samples", "griffin_lim_every"}
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
    measured = workspace.recipes()
    page = training.recipe_table()._repr_html_()
    assert {"laptop", "paper"} <= set(measured["recipe"])
    for name in measured["recipe"]:
        assert name in page
    assert measured["pitch_heard"].between(0, 100).all()
    assert measured.loc[measured["recipe"] == "laptop", "commit"].item()[:12] in page


def test_without_a_checkout_nothing_is_claimed(monkeypatch):
    monkeypatch.setattr(training, "recipes", pd.DataFrame)
    assert isinstance(training.recipe_table(), Markdown)
