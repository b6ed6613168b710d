"""How near a run is to the published one."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from reverbsynth.book.workspace import shipped
from reverbsynth.cli import app
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.evaluate import kept_report
from reverbsynth.evaluation.report import Report, Row
from reverbsynth.evaluation.reproduction import TOLERANCES, compare, tolerances
from reverbsynth.training.run import Run


def report(**values: float) -> Report:
    none = Measure(missing_reason="too few notes")
    rows = [
        Row(key, "", key, "%" if "accuracy" in key else "dB", 1, none, none, Measure(value))
        for key, value in values.items()
    ]
    return Report({"wet": "reverb"}, rows)


PUBLISHED = report(**{"pitch.accuracy": 0.965, "reverb.ratio.reverb": -18.7, "other": 1.0})


def test_what_has_a_number_and_a_tolerance_is_compared():
    assert list(tolerances(PUBLISHED)) == ["pitch.accuracy", "reverb.ratio.reverb"]
    frame = compare(PUBLISHED, PUBLISHED)
    assert frame["within"].all()
    assert frame.loc["pitch.accuracy (%)", "expected"] == "96.5"
    assert frame.loc["pitch.accuracy (%)", "tolerance"] == "± 10"


@pytest.mark.parametrize(("share", "near"), [(0.99, True), (0.88, True), (0.85, False)])
def test_a_value_beyond_its_tolerance_is_not_near(share, near):
    found = report(**{"pitch.accuracy": share, "reverb.ratio.reverb": -20.0})
    assert compare(PUBLISHED, found)["within"].tolist() == [near, True]


def test_what_was_not_found_is_not_near():
    found = report(**{"pitch.accuracy": 0.96})
    assert compare(PUBLISHED, found)["within"].tolist() == [True, False]
    row = replace(found["pitch.accuracy"], generated=Measure(missing_reason="silent"))
    assert compare(PUBLISHED, Report({"wet": "reverb"}, [row]))["within"].tolist() == [False, False]


def test_every_tolerance_is_of_a_metric_that_the_published_report_has():
    published = kept_report(Run.open(shipped()))
    assert len(tolerances(published)) == len(TOLERANCES)


@pytest.mark.parametrize(("change", "status"), [(0.0, 0), (5.0, 1)])
def test_the_command_ends_with_what_it_found(monkeypatch, change, status):
    run = Run.open(shipped())
    published = kept_report(run)
    rows = [
        replace(row, generated=replace(row.generated, value=row.generated.value + change))
        if row.key == "spectrum.nearest"
        else row
        for row in published.rows
    ]
    monkeypatch.setattr(
        "reverbsynth.evaluation.evaluate.evaluate", lambda *_: replace(published, rows=rows)
    )
    done = CliRunner().invoke(app, ["reproduce", str(run.directory), "--data", "anywhere"])
    assert done.exit_code == status, done.output
    assert ("NO" in done.output) == bool(status)
    assert f"{len(TOLERANCES) - status} of {len(TOLERANCES)} values" in done.output
