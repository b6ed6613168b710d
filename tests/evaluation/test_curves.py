"""How a run's losses changed."""

import pandas as pd
import pytest

from reverbsynth.evaluation.curves import changes


def test_losses_are_compared_from_first_tenth_to_last():
    metrics = pd.DataFrame({"real_pitch_loss": [4.0, *[2.0] * 18, 1.0], "seconds": range(20)})
    row = changes(metrics, ["real_pitch_loss"]).loc["real_pitch_loss"]
    assert (row["first"], row["last"], row["change"]) == (3.0, 1.5, -1.5)


def test_rows_count_by_the_steps_they_stand_for():
    metrics = pd.DataFrame({"loss": [4.0, 2.0, 1.0], "steps": [3, 60, 37]})
    row = changes(metrics, ["loss"]).loc["loss"]
    assert row["first"] == pytest.approx((3 * 4 + 7 * 2) / 10)
    assert row["last"] == 1


def test_rows_without_a_measurement_do_not_count():
    metrics = pd.DataFrame({"loss": [None, 4.0, None, 1.0], "other": [None] * 4})
    frame = changes(metrics, ["other", "loss"])
    assert frame.loc["loss"].tolist() == [4, 1, -3]
    assert frame.loc["other"].isna().all()
