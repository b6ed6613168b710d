"""How near a run is to the published one."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from reverbsynth.book.workspace import shipped
from reverbsynth.cli import app
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.evaluate import kept_report
from reverbsynth.evaluation.report import Report, Row
from reverbsynth.evaluation.reproduction import (
    HEADLINE,
    better_throughout,
    compare,
    headline,
    tolerance,
)
from reverbsynth.instrument.instrument import Instrument
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
    assert list(headline(PUBLISHED)) == ["pitch.accuracy", "reverb.ratio.reverb"]
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


def seeds(*values: float, reach: float) -> Row:
    measure = Measure(sum(values) / len(values), min(values) - reach, max(values) + reach)
    row = PUBLISHED["reverb.ratio.reverb"]
    return replace(row, generated=replace(measure, seeds=values if values[1:] else ()))


def test_of_several_seeds_the_tolerance_is_their_prediction_interval():
    held = headline(PUBLISHED)["reverb.ratio.reverb"]
    assert tolerance(seeds(-18.0, reach=0.5), held) == held.judged
    # t of 2 degrees of freedom is 4.30; the standard deviation of these is 1.
    found = tolerance(seeds(-17.0, -18.0, -19.0, reach=0.5), held)
    assert found == pytest.approx(4.3027 * (4 / 3) ** 0.5, rel=1e-4)
    # Seeds that agree are still measured on so many notes.
    found = tolerance(seeds(-18.0, -18.0, -18.0, reach=0.5), held)
    assert found == pytest.approx(0.5 * (4 / 3) ** 0.5)
    # A fourth seed of the same distribution is within for nearly all draws.
    rng = np.random.default_rng(0)
    within = 0
    for _ in range(400):
        *three, fourth = rng.normal(size=4)
        within += abs(fourth - np.mean(three)) <= tolerance(seeds(*three, reach=0.0), held)
    assert 0.9 < within / 400 < 0.99


@pytest.mark.parametrize(
    ("values", "better"), [((0.97, -18.0), True), ((0.97, -19.0), False), ((0.96, -18.0), False)]
)
def test_better_throughout_means_in_every_row(values, better):
    real = Measure(-17.9)
    rows = [
        replace(row, real=real, generated=Measure(value))
        for row, value in zip(PUBLISHED.rows, values, strict=False)
    ]
    old = Report(PUBLISHED.facts, [replace(row, real=real) for row in PUBLISHED.rows])
    assert better_throughout(Report({"wet": "reverb"}, rows), old) == better
    assert better_throughout(old, old)
    assert not better_throughout(Report({"wet": "reverb"}, rows[:1]), old)


def test_every_tolerance_is_of_a_metric_that_the_published_report_has():
    published = kept_report(Run.open(shipped()))
    assert len(headline(published)) == len(HEADLINE)


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
    assert f"{len(HEADLINE) - status} of {len(HEADLINE)} values" in done.output


def test_a_run_is_measured_on_the_data_set_that_it_names(small_run, monkeypatch):
    """By a path that is relative to the run."""
    seen = []

    def measured(run, source, settings):
        seen.append(source)
        raise ReverbSynthError("seen")

    monkeypatch.setattr("reverbsynth.evaluation.evaluate.evaluate", measured)
    CliRunner().invoke(app, ["reproduce", str(small_run.directory)])
    assert seen == [small_run.data_directory]


def test_a_report_by_settings_of_ones_own_is_not_replaced(small_run, monkeypatch):
    seen = []

    def measured(source, *_):
        seen.append(source)
        raise ReverbSynthError("seen")

    monkeypatch.setattr("reverbsynth.evaluation.evaluate.evaluate", measured)
    limits = Run.open(shipped()).settings.evaluation.model_dump(mode="json")
    for settings, kind in ((limits, Run), ({**limits, "notes": 400}, Instrument)):
        report = Report({"settings": settings})
        monkeypatch.setattr(
            "reverbsynth.evaluation.evaluate.kept_report", lambda run, report=report: report
        )
        CliRunner().invoke(app, ["reproduce", str(small_run.directory)])
        assert isinstance(seen.pop(), kind)
