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
    "effect.accuracy": 1.0,
    "reverb.late.dry": -45.0,
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
    "dial.span.reverb": 6.0,
}
LOSSES = pd.DataFrame(
    {"first": [4.0, 0.2], "last": [1.0, 0.1]}, index=["fake_pitch_loss", "real_consistency"]
)
UNTOLD = {"wet": "reverb", "dry": "dry", "wet_share": 0.5, "labels": ["pitch"]}
TOLD = UNTOLD | {"labels": ["pitch", "effect"]}
REPRESENTATIONS = pd.DataFrame(
    {"SNR (dB)": [3.0, 80.0], "pitch error (cents)": [0.1, 0.2]}, index=["IF-Mel", "linear IF"]
)


def judge(
    facts=TOLD, losses=LOSSES, shown=REPRESENTATIONS, limits=None, **generated
) -> dict[str, str]:
    """Verdicts, by the claim's key, of a generator as good as the ceiling but for some measures.

    Those that the network's labels leave untested are left out.
    """
    values = CEILING | {key.replace("_", "."): value for key, value in generated.items()}
    rows = []
    for key, value in values.items():
        measure = value if isinstance(value, Measure) else Measure(value, value, value, 100)
        ceiling = Measure(CEILING[key], CEILING[key], CEILING[key], 80)
        rows.append(Row(key, "group", key, "", 2, ceiling, ceiling, measure))
    found = claims.verdicts(Report(facts, rows), limits or ClaimSettings(), losses, shown)
    return {v.key: v.verdict for v in found if not v.evidence.startswith("this network is")}


@pytest.mark.parametrize(
    ("facts", "untested"), [(TOLD, {"reverb", "both"}), (UNTOLD, {"label", "dial"})]
)
def test_the_ceiling_itself_meets_every_claim_that_its_labels_leave_open(facts, untested):
    found = judge(facts)
    assert set(found.values()) == {claims.HOLDS}
    assert claims.CLAIMS.keys() - found.keys() == untested


@pytest.mark.parametrize(
    ("measure", "value", "claims_failed"),
    [
        ("pitch_accuracy", 0.85, "pitch"),
        ("pitch_cents", 26.0, "pitch"),
        ("reverb_decays_reverb", 0.4, "reverb label"),
        ("reverb_ratio_reverb", 3.0, "reverb label"),
        ("reverb_late_dry", -38.0, "both label"),
        ("effect_accuracy", 0.5, "label"),
        ("effect_share", 0.7, "both"),
        ("spectrum_nearest", 14.0, "similar"),
        ("spectrum_treble", -5.5, "similar"),
        ("distribution_bins", 0.4, "similar"),
        ("control_diversity", 2.0, "similar"),
        ("paired_ratio_reverb", 6.0, "label"),
        ("paired_heard", 0.5, "label"),
        ("dial_monotone_reverb", 0.4, "dial"),
        ("dial_span_reverb", 0.02, "dial"),
        ("memory_copying", 0.7, "new"),
        ("control_tail", 0.1, "tune"),
    ],
)
def test_a_measure_beyond_its_limit_fails_its_claims_alone(measure, value, claims_failed):
    failed = set()
    for facts in (TOLD, UNTOLD):
        found = judge(facts, **{measure: value})
        failed |= {key for key, verdict in found.items() if verdict == claims.FAILS}
        assert set(found.values()) <= {claims.HOLDS, claims.FAILS}
    assert failed == set(claims_failed.split())


MEASURED = ("paired.ratio.reverb", "dial.monotone.reverb", "dial.span.reverb")


def told(effects=("dry", "reverb"), facts=TOLD, real=25.0):
    """Verdicts, whole, where real notes' tails change by this much, give or take 3 dB."""
    rows = [
        Row(key, "group", key, "", 2, Measure(real, real - 3, real + 3, 80), *[Measure(25.0)] * 2)
        for key in (*[f"reverb.ratio.{effect}" for effect in effects], *MEASURED)
    ]
    found = claims.verdicts(Report(facts, rows), ClaimSettings())
    return {verdict.key: verdict for verdict in found}


def test_of_several_effects_it_is_told_which_is_judged():
    assert told(("dry", "reverb", "delay"))["dial"].evidence.startswith(
        "of 3 effects, reverb is judged; "
    )
    assert "judged" not in told()["dial"].evidence
    assert "judged" not in told(("dry", "reverb", "delay"), UNTOLD)["dial"].evidence


@pytest.mark.parametrize("facts", [TOLD, UNTOLD])
def test_an_effect_that_real_tails_do_not_tell_is_not_judged_by_them(facts):
    found = told(facts=facts, real=2.0)
    for key in ("reverb", "label", "dial"):
        assert found[key].verdict == claims.NOT_TESTED
        assert found[key].evidence == "reverb does not change the tails of real notes"
    assert "tails of real notes" not in found["both"].evidence
    assert "tails of real notes" not in told(facts=facts)["label"].evidence


def test_limits_are_settings():
    looser = ClaimSettings(cents=60.0)
    assert judge(limits=looser, pitch_cents=26.0)["pitch"] == claims.HOLDS
    measure = Measure(26.0, 26.0, 26.0, 100)
    row = Row("pitch.cents", "group", "error", "", 2, measure, measure, measure)
    rules = {v.key: v.rule for v in claims.verdicts(Report(TOLD, [row]), looser)}
    assert "error at most 60 cents" in rules["pitch"]


def test_dry_notes_may_be_as_quiet_as_they_like():
    assert judge(reverb_late_dry=-80.0)["label"] == claims.HOLDS


@pytest.mark.parametrize("factor", [1 / 1.3, 1.3])
def test_tails_may_be_neither_shorter_nor_longer(factor):
    assert judge(UNTOLD, reverb_t20_reverb=1.2 * factor)["reverb"] == claims.FAILS
    assert judge(UNTOLD, reverb_t20_reverb=1.2 * factor**0.5)["reverb"] == claims.HOLDS


@pytest.mark.parametrize(
    ("measure", "verdict"),
    [
        (Measure(0.95, 0.91, 1.0, 300), claims.HOLDS),
        (Measure(0.95, 0.88, 1.0, 30), claims.UNDECIDED),
        (Measure(0.85, 0.75, 0.95, 30), claims.UNDECIDED),
        (Measure(0.85, 0.82, 0.88, 300), claims.FAILS),
    ],
)
def test_the_whole_interval_counts(measure, verdict):
    assert judge(pitch_accuracy=measure)["pitch"] == verdict


def test_a_failure_counts_more_than_a_doubt():
    wide = Measure(0.95, 0.88, 1.0, 30)
    assert judge(pitch_accuracy=wide, pitch_cents=90.0)["pitch"] == claims.FAILS
    assert judge(pitch_accuracy=wide, pitch_cents=3.0)["pitch"] == claims.UNDECIDED


def test_a_missing_measure_is_no_evidence():
    found = judge(
        pitch_accuracy=Measure(missing_reason="NaN"),
        memory_copying=Measure(missing_reason="silent"),
    )
    assert found["pitch"] == claims.NOT_TESTED
    assert found["new"] == claims.NOT_TESTED


def test_a_missing_measure_does_not_excuse_another_failure():
    found = judge(pitch_accuracy=Measure(missing_reason="NaN"), pitch_cents=900.0)
    assert found["pitch"] == claims.FAILS


def test_noise_is_no_new_note():
    assert judge(memory_training=40.0, memory_copying=0.0)["new"] == claims.NOT_TESTED


def test_no_run_has_no_losses():
    assert judge(losses=None)["losses"] == claims.NOT_TESTED
    beside = LOSSES.rename(index={"real_consistency": "real_effect_loss"}).assign(last=[1.0, 0.9])
    assert judge(losses=beside)["losses"] == claims.HOLDS  # the paper has no label for the effect
    risen = pd.DataFrame({"first": [1.0], "last": [0.95]}, index=["real_pitch_loss"])
    assert judge(losses=risen)["losses"] == claims.FAILS


def test_a_better_representation_refutes_if_mel():
    better = REPRESENTATIONS.assign(**{"pitch error (cents)": [0.2, 0.1]})
    assert judge(shown=better)["representation"] == claims.FAILS
    unknown = REPRESENTATIONS.assign(**{"pitch error (cents)": [float("nan"), 0.1]})
    assert judge(shown=unknown)["representation"] == claims.NOT_TESTED


def test_an_effect_that_shortens_the_tail_is_held_to_that():
    _, allowed = claims.RULES["share"]
    for value, verdict in ((-4.0, claims.HOLDS), (-1.0, claims.FAILS), (1.0, claims.FAILS)):
        assert claims.judge(Measure(value, value, value, 50), *allowed(0.5, -4.0)) == verdict


def test_data_without_an_effect_test_nothing_of_it():
    report = Report(UNTOLD | {"wet": None, "wet_share": 0.0}, _ceiling_rows())
    found = claims.verdicts(report, ClaimSettings())
    words = {verdict.key: verdict.verdict for verdict in found}
    assert words["reverb"] == words["both"] == claims.NOT_TESTED


def _ceiling_rows() -> list[Row]:
    return [
        Row(key, "g", key, "", 2, *[Measure(value, value, value, 80)] * 3)
        for key, value in CEILING.items()
    ]


def test_evidence_says_what_was_missed():
    rows = _ceiling_rows()
    index = {row.key: number for number, row in enumerate(rows)}
    for key, value, low in (("control.diversity", 7.0, 4.0), ("control.tail", 0.1, 0.0)):
        measure = Measure(value, low, value + 0.1, 9)
        rows[index[key]] = replace(rows[index[key]], generated=measure)
    found = {v.key: v for v in claims.verdicts(Report(UNTOLD, rows), ClaimSettings())}
    assert found["similar"].evidence.endswith(", real 10.00) — undecided")
    assert "control.tail: 0.10 [0.00, 0.20] (ceiling 0.60 [0.60, 0.60], real 0.60) — missed; " in (
        found["tune"].evidence
    )


def test_a_pitch_that_the_network_is_given_is_said_beside_the_verdict():
    for told, said in (("harmonic", True), ("one-hot", False)):
        report = Report(TOLD | {"pitch_input": told}, _ceiling_rows())
        found = {v.key: v.evidence for v in claims.verdicts(report, ClaimSettings())}
        assert found["pitch"].startswith("this network is given the harmonics") == said
        assert "harmonics" not in found["similar"]
