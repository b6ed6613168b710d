"""What the original's choices come to, and the table of claims."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reverbsynth.book.chapters import disagreements
from reverbsynth.book.chapters import disagreements as pictures
from reverbsynth.book.verdicts import verdict_counts
from reverbsynth.evaluation import claims
from reverbsynth.evaluation.effect_transfer import TransferTrial, TransferTrials
from reverbsynth.evaluation.report import Report, Verdict
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run


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
    assert "within 0.1 dB of the input's" in disagreements.coloured().data


def test_claims_link_to_their_chapters_and_keep_their_columns(run):
    report = Report({}, [])
    evidence = "NDB: 3; accuracy: 70 % (ceiling 99 %) — missed"
    report.verdicts = [
        Verdict("pitch", "It has | the pitch.", "the paper", claims.HOLDS, "rule", "100 %"),
        Verdict("losses", "They fall.", "the paper", claims.FAILS, "rule", "up"),
        Verdict("new", "They are new.", "the paper", claims.FAILS, "rule", evidence),
        Verdict("label", "By name.", claims.BEYOND, claims.UNDECIDED, "rule", "yes"),
    ]
    rows = disagreements.claims(report).data.splitlines()
    cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]
    assert {len(row) for row in cells} == {4}
    assert "(08_evaluation.ipynb): 100 %" in rows[2]
    assert cells[2][1].strip() == "**holds**"
    assert "(04_training.ipynb): up" in rows[3]
    assert "NDB: 3; **accuracy: 70 % (ceiling 99 %) — missed**" in rows[4]
    assert "By name." not in "".join(rows)
    asked = disagreements.asked_for(report, run, TransferTrials({})).data.splitlines()
    assert "By name." in asked[2]
    assert "**not tested**" in asked[3]
    lists = verdict_counts(report, run).data
    assert lists.startswith("The recipe is our variant (tiny, ")
    assert "- **holds** (1): *It has | the pitch*\n" in lists
    assert "- **does not hold** (2): *They fall*; *They are new*\n" in lists
    assert lists.endswith("- **undecided** (1): *By name*")


def trials(nearer: int) -> TransferTrials:
    """Eight trials, some of which come nearer to the twin than the recording is."""
    return TransferTrials(
        {},
        [
            TransferTrial(
                *("id", f"origin {trial}", 40, "reverb", [0.0], {}, 1.0, []),
                distances={
                    "network": {"spectrum": 1.0 if trial < nearer else 3.0},
                    "nothing": {"spectrum": 2.0},
                },
            )
            for trial in range(8)
        ],
    )


@pytest.mark.parametrize(
    ("nearer", "verdict"), [(8, "holds"), (4, "undecided"), (0, "does not hold")]
)
def test_an_effect_for_recordings_is_judged_by_all_trials(run, nearer, verdict):
    settings = run.settings.replace(**{"evaluation.min_notes": 8})
    told = Run(run.directory, settings, run.manifest)
    row = disagreements.asked_for(Report({}, []), told, trials(nearer)).data.splitlines()[-1]
    assert f"**{verdict}**" in row
    assert f"in {nearer} of 8 trials" in row
    several = trials(nearer)
    several.seeds = [trials(8 - nearer)]
    row = disagreements.asked_for(Report({}, []), told, several).data.splitlines()[-1]
    assert "**undecided**" in row
    assert f"in {nearer} and {8 - nearer} of 8 trials of each seed" in row


def test_a_network_that_is_not_told_the_effect_is_described():
    columns = ["recipe", "notes", "heard_wet", "tail_dry", "tail_reverb"]
    rows = [
        ("real notes through the image of stage 8", 80, 51.2, -22.8, -15.8),
        ("laptop, not told the effect", 200, 46.5, -23.1, -17.0),
    ]
    said = disagreements.untold(pd.DataFrame(rows, columns=columns)).data
    assert "in 46 % of its 200 notes" in said
    assert "without and with it are at -23.1 and -17.0 dB (real: -22.8 and -15.8)" in said
    one_kind = pd.DataFrame(rows, columns=columns)
    one_kind.loc[1, "tail_dry"] = np.nan
    said = disagreements.untold(one_kind).data
    assert "tails" not in said
    assert "nan" not in said
    for missing in (pd.DataFrame(rows[:1], columns=columns), pd.DataFrame()):
        assert disagreements.untold(missing).data.startswith("No training without a label")


def test_pictures_are_drawn():
    steps = pictures.label_histograms([36, 36, 40]).axes[0].lines
    assert len(steps) == 2
    assert [line.get_ydata().sum() for line in steps] == pytest.approx([100, 100])
    assert len(pictures.allpass_chains().axes[0].lines) == 2
