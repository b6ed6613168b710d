"""What the original's choices come to, and the table of claims."""

import re
from pathlib import Path

import numpy as np
import pytest

from reverbsynth.book.chapters import disagreements
from reverbsynth.book.chapters import disagreements as pictures
from reverbsynth.book.verdicts import verdict_counts
from reverbsynth.evaluation import claims
from reverbsynth.evaluation.effect_transfer import TransferTrials
from reverbsynth.evaluation.report import Report, Verdict
from reverbsynth.settings import Settings


def test_the_table_s_transitions_end_stage_8_far_sooner():
    frame = disagreements.schedules(
        {"figures": Settings.preset("paper"), "table": Settings.preset("paper-table")}
    )
    assert frame.loc[8, "figures"] == 9 * 800_000
    assert frame.loc[8, "table"] == 5 * 800_000 + 4 * 10_000
    assert frame.loc[8, "frames × bins"] == "32 × 256"
    assert frame.loc[12, "figures"] == 11_000_000


def test_most_twins_fall_apart():
    trained = round(0.8 * 400)
    page = (Path(__file__).parents[3] / "notebooks" / "10_disagreements.ipynb").read_text()
    assert f"probability of {trained}/{400 - 1} = {trained / (400 - 1):.0%}" in page


def test_labels_of_the_original_are_nsynth_s_part_for_gansynth():
    assert disagreements.LABELS["pitch"].tolist() == list(range(24, 85))
    assert "60,788 notes" in disagreements.label_coverage(range(24, 85)).data
    assert "0% name a pitch that none" in disagreements.label_coverage(range(24, 85)).data
    share = int(re.search(r"(\d+)% name", disagreements.label_coverage([36, 37]).data)[1])
    counts = disagreements.LABELS["notes"].to_numpy()
    assert share == round(100 * (1 - counts[12:14].sum() / counts.sum()))


def test_one_chain_is_flat_and_the_example_s_pair_is_not():
    one, pair = (
        disagreements.level(each, (50, 7500))[1] for each in disagreements.example_reverb()
    )
    assert np.ptp(one) < 0.1
    assert np.ptp(pair) > 20
    # At a gain of 0.2: two chains that know nothing of each other, to two that are the same.
    unlike, same = 20 * np.log10(0.2) + 10 * np.log10([2, 4])
    assert unlike < 10 * np.log10(np.mean(10 ** (pair / 10))) < same
    assert "between 0.0 and 0.0 dB" in disagreements.coloured().data


def test_claims_link_to_their_chapters_and_keep_their_columns(run):
    report = Report({}, [])
    report.verdicts = [
        Verdict("pitch", "It has | the pitch.", "the paper", "reproduced", "rule", "100 %"),
        Verdict("losses", "They fall.", "the paper", "not reproduced", "rule", "up"),
        Verdict("label", "By name.", claims.BEYOND, "reproduced", "rule", "yes"),
    ]
    rows = disagreements.claims(report, run).data.splitlines()
    cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]
    assert {len(row) for row in cells} == {4}
    assert "(08_evaluation.ipynb): 100 %" in rows[2]
    assert "**holds** for our variant (tiny, " in rows[2]
    assert "(04_training.ipynb): up" in rows[3]
    assert "By name." not in "".join(rows)
    asked = disagreements.asked_for(report, run, TransferTrials({})).data.splitlines()
    assert "By name." in asked[2]
    assert "**not testable** for our variant" in asked[3]
    counts = verdict_counts(report, run).data
    assert counts.startswith("The recipe is our variant (tiny, ")
    assert "Of 2 claims that the paper makes or implies:\n\n- **1 holds**: *It has" in counts
    assert "- **1 is not reproduced**: *They fall*." in counts
    assert "judged by a number:\n\n- **1 holds**: *By name*." in counts


def test_pictures_are_drawn():
    steps = pictures.label_histograms([36, 36, 40]).axes[0].lines
    assert len(steps) == 2
    assert [line.get_ydata().sum() for line in steps] == pytest.approx([100, 100])
    assert len(pictures.allpass_chains().axes[0].lines) == 2
