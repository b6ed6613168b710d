"""Verdicts follow from measures and limits, and from nothing else."""

from dataclasses import replace

import pandas as pd
import pytest

from reverbsynth.evaluation import claims
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.report import Report, Row
from reverbsynth.settings import ClaimSettings

CEILING = {
    "pitch.accuracy": 1.0,
    "pitch.cents": 3.0,
    "effect.share": 0.5,
    "reverb.decays.reverb": 0.8,
    "reverb.t20.reverb": 1.2,
    "reverb.ratio.reverb": -16.0,
    "spectrum.nearest": 9.0,
    "spectrum.treble": -48.0,
    "distribution.bins": 0.1,
    "memory.training": 8.0,
    "memory.copying": 0.5,
    "control.diversity": 10.0,
    "control.pitch": 1.0,
    "control.tail": 0.6,
    "paired.ratio.reverb": 25.0,
    "paired.heard": 1.0,
    "dial.monotone.reverb": 1.0,
}
LOSSES = pd.DataFrame({"first": [4.0, 0.2], "last": [1.0, 0.1]}, index=["fake_pitch_loss", "x"])
REPRESENTATIONS = pd.DataFrame(
    {"SNR (dB)": [3.0, 80.0], "pitch error (cents)": [0.1, 0.2]}, index=["IF-Mel", "linear IF"]
)


def judge(share: float = 0.5, losses=LOSSES, shown=REPRESENTATIONS, **generated) -> dict[str, str]:
    """Verdicts, by the claim's key, of a generator as good as the ceiling but for some measures."""
    values = CEILING | {key.replace("_", "."): value for key, value in generated.items()}
    rows = []
    for key, value in values.items():
        measure = value if isinstance(value, Measure) else Measure(value, value, value, 100)
        ceiling = Measure(CEILING[key], CEILING[key], CEILING[key], 80)
        rows.append(Row(key, "group", key, "", 2, ceiling, ceiling, measure))
    report = Report({"wet": "reverb", "wet_share": share}, rows)
    found = claims.verdicts(report, ClaimSettings(), losses, shown)
    return {verdict.key: verdict.verdict for verdict in found}


def test_the_ceiling_itself_reproduces_every_claim():
    assert set(judge().values()) == {claims.REPRODUCED}


@pytest.mark.parametrize(
    ("measure", "value", "claim"),
    [
        ("pitch_accuracy", 0.85, "pitch"),
        ("pitch_cents", 26.0, "pitch"),
        ("reverb_decays_reverb", 0.4, "reverb"),
        ("reverb_ratio_reverb", 3.0, "reverb"),
        ("effect_share", 0.7, "both"),
        ("spectrum_nearest", 14.0, "similar"),
        ("spectrum_treble", -5.5, "similar"),
        ("distribution_bins", 0.4, "similar"),
        ("control_diversity", 2.0, "similar"),
        ("paired_ratio_reverb", 6.0, "label"),
        ("paired_heard", 0.5, "label"),
        ("dial_monotone_reverb", 0.4, "dial"),
        ("memory_copying", 0.7, "new"),
        ("control_tail", 0.1, "tune"),
    ],
)
def test_a_measure_beyond_its_limit_fails_its_claim_alone(measure, value, claim):
    found = judge(**{measure: value})
    assert found.pop(claim) == claims.NOT_REPRODUCED
    assert set(found.values()) == {claims.REPRODUCED}


@pytest.mark.parametrize("factor", [1 / 1.3, 1.3])
def test_tails_may_be_neither_shorter_nor_longer(factor):
    assert judge(reverb_t20_reverb=1.2 * factor)["reverb"] == claims.NOT_REPRODUCED
    assert judge(reverb_t20_reverb=1.2 * factor**0.5)["reverb"] == claims.REPRODUCED


def test_the_whole_interval_counts():
    wide = Measure(0.95, 0.88, 1.0, 30)
    assert judge(pitch_accuracy=wide)["pitch"] == claims.UNDECIDED
    beyond = Measure(0.8, 0.75, 0.85, 30)
    assert judge(pitch_accuracy=beyond)["pitch"] == claims.NOT_REPRODUCED
    assert judge(pitch_accuracy=wide, pitch_cents=900.0)["pitch"] == claims.NOT_REPRODUCED
    assert judge(pitch_accuracy=Measure(0.95, 0.91, 1.0, 300))["pitch"] == claims.REPRODUCED


def test_a_missing_measure_is_no_evidence():
    found = judge(
        pitch_accuracy=Measure(missing_reason="NaN"),
        memory_copying=Measure(missing_reason="silent"),
    )
    assert found["pitch"] == claims.NOT_TESTABLE
    assert found["new"] == claims.NOT_TESTABLE


def test_a_missing_measure_does_not_excuse_another_failure():
    found = judge(pitch_accuracy=Measure(missing_reason="NaN"), pitch_cents=900.0)
    assert found["pitch"] == claims.NOT_REPRODUCED


def test_noise_is_no_new_note():
    assert judge(memory_training=40.0, memory_copying=0.0)["new"] == claims.NOT_TESTABLE


def test_no_run_has_no_losses():
    assert judge(losses=None)["losses"] == claims.NOT_TESTABLE
    risen = pd.DataFrame({"first": [1.0], "last": [0.95]}, index=["real_pitch_loss"])
    assert judge(losses=risen)["losses"] == claims.NOT_REPRODUCED


def test_a_better_representation_refutes_if_mel():
    better = REPRESENTATIONS.assign(**{"pitch error (cents)": [0.2, 0.1]})
    assert judge(shown=better)["representation"] == claims.NOT_REPRODUCED


def test_data_without_an_effect_test_nothing_of_it():
    report = Report({"wet": None, "wet_share": 0.0}, _ceiling_rows())
    found = claims.verdicts(report, ClaimSettings())
    words = {verdict.key: verdict.verdict for verdict in found}
    assert words["reverb"] == words["both"] == claims.NOT_TESTABLE


def _ceiling_rows() -> list[Row]:
    return [
        Row(key, "g", key, "", 2, *[Measure(value, value, value, 80)] * 3)
        for key, value in CEILING.items()
    ]


def test_what_was_missed_says_by_how_little():
    rows = _ceiling_rows()
    index = {row.key: number for number, row in enumerate(rows)}
    for key, value, low in (("control.diversity", 7.0, 4.0), ("control.tail", 0.1, 0.0)):
        measure = Measure(value, low, value + 0.1, 9)
        rows[index[key]] = replace(rows[index[key]], generated=measure)
    report = Report({"wet": "reverb", "wet_share": 0.5}, rows)
    found = claims.verdicts(report, ClaimSettings())
    missed = {verdict.key: verdict.missed for verdict in found}
    part = " (a part of its interval meets it)"
    assert missed["similar"] == [f"control.diversity at least 60% of the ceiling's{part}"]
    assert missed["tune"] == ["control.tail at least 50% of the ceiling's"]
    assert missed["pitch"] == []
