"""Verdicts on what the paper claims, from limits that the settings state in advance."""

from collections.abc import Callable
from math import inf, nan
from typing import NamedTuple

import pandas as pd

from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.report import Report, Verdict
from reverbsynth.settings import ClaimSettings

FAILS, NOT_TESTED, UNDECIDED, HOLDS = "does not hold", "not tested", "undecided", "holds"
VERDICTS = (FAILS, NOT_TESTED, UNDECIDED, HOLDS)
"""A claim's verdict is the first of these that any of its conditions has."""

PAPER = "the paper"
IMPLIED = "implied by the paper"
BEYOND = "asked for in the paper's conclusion"

CLAIMS = {
    "losses": ('Losses "decreased almost across the board".', PAPER),
    "pitch": ("A generated note has the pitch that was asked for.", IMPLIED),
    "reverb": ("Generated notes already carry the reverb.", PAPER),
    "both": ("One network plays notes with the effect and without.", IMPLIED),
    "similar": ('Generated notes "sounded like our audio dataset".', PAPER),
    "new": ("They are new notes, not copies of training notes.", IMPLIED),
    "tune": ("One latent vector is one instrument: it plays a tune.", PAPER),
    "representation": ('IF-Mel "is the least lossy representation".', PAPER),
    "label": ("The effect can be asked for by name.", BEYOND),
    "dial": ("It can be dialled, not only switched.", BEYOND),
}
"""By key: what is claimed, and where."""


def _around(limit: float, reference: float) -> tuple[float, float]:
    return reference - limit, reference + limit


RULES: dict[str, tuple[str, Callable[[float, float], tuple[float, float]]]] = {
    "least": ("at least {limit:g}", lambda limit, _: (limit, inf)),
    "most cents": ("at most {limit:g} cents", lambda limit, _: (-inf, limit)),
    "most": ("at most {limit:.0%}", lambda limit, _: (-inf, limit)),
    "near": ("within {limit:.0%} of the training notes' {reference:.0%}", _around),
    "share": (
        "at least {limit:.0%} of the ceiling's",
        lambda limit, top: (limit * top, inf) if top >= 0 else (-inf, limit * top),
    ),
    "times": ("at most {limit:g} times the ceiling's", lambda limit, top: (-inf, limit * top)),
    "above": (
        "at most {limit:.0%} of all bins above the ceiling's",
        lambda limit, top: (-inf, top + limit),
    ),
    "within": ("within {limit:g} dB of the ceiling's", _around),
    "louder": ("at most {limit:g} dB above the ceiling's", lambda limit, top: (-inf, top + limit)),
    "factor": (
        "within a factor of {limit:g} of the ceiling's",
        lambda limit, top: (top / limit, top * limit),
    ),
}
"""By name: a rule in words, and what it allows by its limit and what it refers to."""

_WET_TAILS = (
    ("reverb.decays.{wet}", "share", "decaying"),
    ("reverb.t20.{wet}", "factor", "decay_ratio"),
    ("reverb.ratio.{wet}", "within", "tail"),
)
_DRY_NOTES = ("reverb.late.{dry}", "louder", "tail")
CONDITIONS = {
    "pitch": (
        ("pitch.accuracy", "share", "pitch_accuracy"),
        ("pitch.cents", "most cents", "cents"),
    ),
    "reverb": _WET_TAILS,
    "both": (("effect.share", "near", "wet_share"), _DRY_NOTES),
    "similar": (
        ("spectrum.nearest", "times", "spectral_distance"),
        ("spectrum.treble", "within", "treble"),
        ("distribution.bins", "above", "bins"),
        ("control.diversity", "share", "diversity"),
    ),
    "new": (
        ("memory.training", "times", "spectral_distance"),
        ("memory.copying", "most", "copying"),
    ),
    "tune": (("control.tail", "share", "timbre"), ("control.pitch", "share", "pitch_accuracy")),
    "label": (
        ("paired.ratio.{wet}", "share", "effect_change"),
        ("paired.heard", "share", "effect_accuracy"),
        ("effect.accuracy", "share", "effect_accuracy"),
        *_WET_TAILS,
        _DRY_NOTES,
    ),
    "dial": (
        ("dial.monotone.{wet}", "least", "dial"),
        ("dial.span.{wet}", "share", "effect_change"),
    ),
}
"""By claim: measures of generated notes, the rules for their whole intervals, and their limits."""

_TOLD_EFFECT = {"reverb": False, "both": False, "label": True, "dial": True}
"""Whether a claim is about networks that are told the effect; the paper's is told the pitch."""
_OF_TAILS = ("reverb", "label", "dial")
_TOLD_PITCH = ("pitch", "tune")
_MARKS = {FAILS: " — missed", UNDECIDED: " — undecided"}
_HARMONICS = "this network is given the harmonics of the requested pitch, the paper's is not"
_LOSSES = ["fake_pitch_loss", "real_pitch_loss", "fake_consistency", "real_consistency"]


class Condition(NamedTuple):
    """What became of a part of a claim, by which rule and on what evidence."""

    verdict: str
    rule: str
    evidence: str


def judge(measure: Measure, low: float, high: float) -> str:
    """Judge by a measure's whole interval: it lies within limits, outside, or it is undecided."""
    if measure.value is None:
        return NOT_TESTED
    least, most = (nan if bound is None else bound for bound in (measure.low, measure.high))
    if low <= least <= most <= high:
        return HOLDS
    return FAILS if most < low or least > high else UNDECIDED


def verdicts(
    report: Report,
    limits: ClaimSettings,
    losses: pd.DataFrame | None = None,
    representations: pd.DataFrame | None = None,
) -> list[Verdict]:
    """Judge every claim by all its conditions (`VERDICTS`).

    The report has its rows, and among its facts ``labels`` that the network is told, how it is told
    the pitch (``pitch_input``), the effects ``wet``, which the paper adds, or None, and ``dry``,
    and ``wet_share`` of the training notes. ``losses`` are `curves.changes`, ``representations``
    what `representations.compare_representations` found.
    """
    judged, facts = [], report.facts
    told = "effect" in facts["labels"]
    for key, (claim, source) in CLAIMS.items():
        if key == "losses":
            conditions = _losses(losses, limits)
        elif key == "representation":
            conditions = _representations(representations)
        elif key in _TOLD_EFFECT and facts["wet"] is None:
            conditions = [Condition(NOT_TESTED, "", "the data set has one effect only")]
        elif key in _OF_TAILS and not _tells(report, facts["wet"]):
            reason = f"{facts['wet']} does not change the tails of real notes"
            conditions = [Condition(NOT_TESTED, "", reason)]
        elif _TOLD_EFFECT.get(key, told) != told:
            reason = "is told the effect, the paper's is not" if told else "is not told the effect"
            conditions = [Condition(NOT_TESTED, "", f"this network {reason}")]
        else:
            conditions = _conditions(key, report, limits)
        verdict = min((each.verdict for each in conditions), key=VERDICTS.index)
        rules = "; ".join(condition.rule for condition in conditions if condition.rule)
        evidence = "; ".join(each.evidence + _MARKS.get(each.verdict, "") for each in conditions)
        judges = key in _TOLD_EFFECT and verdict != NOT_TESTED
        if judges and (count := len(report.effects)) > 2:
            evidence = f"of {count} effects, {facts['wet']} is judged; {evidence}"
        if key in _TOLD_PITCH and facts.get("pitch_input") == "harmonic":
            evidence = f"{_HARMONICS}; {evidence}"
        judged.append(Verdict(key, claim, source, verdict, rules, evidence))
    return judged


def _tells(report: Report, wet: str) -> bool:
    """Whether the tails of real notes tell the effect; an unmeasured change is judged later."""
    key = f"paired.ratio.{wet}"
    real = report[key].real if key in report else Measure(None)
    return real.low is None or real.high is None or not real.low <= 0 <= real.high


def _conditions(claim: str, report: Report, limits: ClaimSettings) -> list[Condition]:
    conditions, wet_share = [], report.facts["wet_share"]
    effects = {name: report.facts.get(name) for name in ("wet", "dry")}
    for key, kind, setting in CONDITIONS[claim]:
        key = key.format(**effects)
        if key not in report:
            conditions.append(Condition(NOT_TESTED, "", f"{key}: not measured"))
            continue
        row, (words, allowed) = report[key], RULES[kind]
        limit, reference = getattr(limits, setting), wet_share
        evidence = f"{row.title}: {row.text('generated')}"
        if "ceiling" in words:
            real = row.cell(Measure(row.real.value, missing_reason=row.real.missing_reason))
            evidence += f" (ceiling {row.text('ceiling')}, real {real})"
            reference = row.ceiling.value
        rule = f"{row.name} {words.format(limit=limit, reference=wet_share)}"
        verdict = NOT_TESTED
        if reference is not None:
            verdict = judge(row.generated, *allowed(limit, reference))
        if key == "memory.training":
            # Of notes that are far from all real ones nothing can be told: noise is no new note.
            verdict = HOLDS if verdict == HOLDS else NOT_TESTED
            rule = f"for notes with a {rule}"
        conditions.append(Condition(verdict, rule, evidence))
    return conditions


def _losses(losses: pd.DataFrame | None, limits: ClaimSettings) -> list[Condition]:
    if losses is None or losses.empty:
        return [Condition(NOT_TESTED, "", "no training to look at")]
    losses = losses.loc[losses.index.intersection(_LOSSES)]  # the paper's; it has no other labels
    rule = f"each AC and GL loss at least {limits.loss_fall:.0%} lower in the run's last tenth"
    conditions: list[Condition] = []
    for name, row in losses.iterrows():
        fell = row["last"] <= (1 - limits.loss_fall) * row["first"]
        evidence = f"{str(name).replace('_', ' ')} from {row['first']:.3g} to {row['last']:.3g}"
        conditions.append(Condition(HOLDS if fell else FAILS, "" if conditions else rule, evidence))
    return conditions


def _representations(losses: pd.DataFrame | None) -> list[Condition]:
    if losses is None:
        return [Condition(NOT_TESTED, "", "not measured")]
    # Of waveforms little is left in any case; see the chapter on IF-Mel.
    shown = losses.drop(columns="SNR (dB)")
    if shown.loc["IF-Mel"].isna().any():
        return [Condition(NOT_TESTED, "", "not measured")]
    evidence = [
        f"{measure}: {', '.join(f'{name} {value:.2f}' for name, value in values.items())}"
        for measure, values in shown.items()
    ]
    beaten = bool((shown.min() < shown.loc["IF-Mel"]).any())
    rule = "the smallest median loss in each measure"
    return [Condition(FAILS if beaten else HOLDS, rule, "; ".join(evidence))]
