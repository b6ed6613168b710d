"""The loss curves."""

import numpy as np
import pandas as pd
import pytest

from reverbsynth.book.chapters import losses
from reverbsynth.book.chapters.losses import label_curves
from reverbsynth.book.workspace import results_table
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.curves import changes
from reverbsynth.evaluation.report import Report, Row
from reverbsynth.training.run import Run


def test_moving_average_is_the_mean_of_its_neighbours():
    values = np.random.default_rng(0).normal(size=37)
    half = 3 // 2 + 1
    wanted = [values[max(i - half, 0) : i + half + 1].mean() for i in range(37)]
    np.testing.assert_allclose(losses.moving_average(values), wanted, atol=1e-12)


class TestPaperCurves:
    def test_there_are_seven_curves_of_nine_stages(self):
        curves = results_table("paper_curves.csv")
        assert list(curves.columns) == ["images", "stage", *losses.FRAMES]
        starts = curves.groupby("stage")["images"].first()
        assert list(starts.index) == list(range(9))
        assert (abs(starts - 800_000 * starts.index) < 100).all()
        assert abs(curves["images"].iloc[-1] - 7_200_000) < 2_000

    def test_the_paper_s_lie_below_ours_with_the_loss_of_guessing(self, run):
        figure = losses.curve(run.metrics(), "fake_pitch_loss", "nats", pitches=3)
        ours, theirs = figure.axes
        assert theirs.get_ylim() == losses.FRAMES["fake_pitch_loss"]
        marks = [ax.get_legend().get_texts()[0].get_text() for ax in (ours, theirs)]
        assert marks == ["guessing: ln 3", "guessing: ln 61"]

    def test_captions_say_where_both_curves_go(self, run):
        said = losses.course(run.metrics(), "fake_pitch_loss")
        assert said.startswith("This run: ")
        assert "The paper's: 283 on average in the first tenth, 140 in the last." in said
        assert "cut off in stages: 0, 1, 5, 6 and 7." in said
        assert losses.course(run.metrics(), "missing") == ""

    def test_what_the_pages_say_of_them(self):
        curves, guessing = results_table("paper_curves.csv"), np.log(losses.PAPER_PITCHES)
        fake, real = curves["fake_pitch_loss"].dropna(), curves["real_pitch_loss"]
        assert fake.iloc[0] == pytest.approx(4.5, abs=0.05)
        assert fake.iloc[1:].min() == pytest.approx(23, abs=0.5)
        assert fake.min() > guessing
        assert fake.tail(8).mean() == pytest.approx(100, abs=1)
        assert real.tail(8).mean() == pytest.approx(1.7, abs=0.05)
        changed = changes(curves, losses.FRAMES)
        first, last = changed["first"], changed["last"]
        wanted = {"fake_pitch_loss": (283, 140), "real_pitch_loss": (4.9, 1.9)}
        for name, (start, end) in wanted.items():
            assert (first[name], last[name]) == (
                pytest.approx(start, 0.01),
                pytest.approx(end, 0.01),
            )
        for name in ("fake_consistency", "real_consistency"):
            assert last[name] <= first[name] / 12
        medians = curves.groupby("stage")["gradient_penalty"].median()
        assert medians[1:5].between(11, 15.5).all()
        assert (medians[6:8] > 34).all()

    def test_their_points_fit_two_batches(self):
        curves = results_table("paper_curves.csv")
        later = curves[curves["stage"] > 0].groupby("stage")["images"].diff().dropna()
        assert (later == 158 * 64).all()
        early = curves["images"][curves["images"] < 580_000].diff().dropna()
        assert early.mean() == pytest.approx(1_251 * 8, abs=2)


class TestLabelCurves:
    def test_labels_beside_the_pitch_have_curves(self, here, run):
        metrics = run.metrics()
        for kind in ("fake", "real"):
            metrics[f"{kind}_effect_loss"] = metrics[f"{kind}_pitch_loss"]
        metrics.to_csv(run.metrics_path, index=False)
        told = Run(
            run.directory,
            run.settings,
            {**run.manifest, "vocabulary": [["pitch", [36]], ["effect", ["dry", "reverb"]]]},
        )
        text = label_curves(told).data
        assert text.count("<figure") == 2
        assert 'id="loss-effect-fake"' in text

    def test_pitch_alone_has_none(self, run):
        assert "nothing else" in label_curves(run).data


@pytest.mark.parametrize(("end", "side"), [(0.5, "below"), (9.0, "above")])
def test_ac_losses_are_held_beside_guessing(run, end, side):
    stages = np.repeat([0, 1], 50)
    rows = {"stage": stages, "images": np.arange(100), "real_pitch_loss": np.full(100, 0.9)}
    rows["fake_pitch_loss"] = np.where(stages == 0, 0.9, end)
    told = Run(run.directory, run.settings, {**run.manifest, "vocabulary": [["pitch", [1, 2, 3]]]})
    told.metrics = lambda: pd.DataFrame(rows)
    heard = Measure(0.9, 0.8, 1.0, 30)
    report = Report({}, [Row("pitch.accuracy", "", "", "%", 1, heard, heard, heard)])
    said = losses.beside_guessing(told, report).data
    assert f"On generated notes this run's AC loss ends at {end:.3g} nats, {side} guessing" in said
    assert said.count("below guessing in every stage") == 1 + (side == "below")
    assert said.count("below guessing in stages: 0.") == (side == "above")
    assert "hears it in 90.0 [80.0, 100.0] % of them" in said
