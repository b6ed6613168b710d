"""Verdicts on what the paper claims, from limits that the settings state in advance."""

from collections.abc import Callable
from math import inf, nan
from typing import NamedTuple

import pandas as pd

from reverbsynth.evaluation.report import Report, Verdict
from reverbsynth.settings import ClaimSettings

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
UNDECIDED, NOT_TESTABLE = "undecided", "not testable"
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
    "share": ("at least {limit:.0%} of the ceiling's", lambda limit, top: (limit * top, inf)),
    "times": ("at most {limit:g} times the ceiling's", lambda limit, top: (-inf, limit * top)),
    "above": (
        "at most {limit:.0%} of all bins above the ceiling's",
        lambda limit, top: (-inf, top + limit),
    ),
    "within": ("within {limit:g} dB of the ceiling's", _around),
    "factor": (
        "within a factor of {limit:g} of the ceiling's",
        lambda limit, top: (top / limit, top * limit),
    ),
}
"""By name: a rule in words, and what it allows by its limit and what it refers to."""

CONDITIONS = {
    "pitch": (
        ("pitch.accuracy", "share", "pitch_accuracy"),
        ("pitch.cents", "most cents", "cents"),
    ),
    "reverb": (
        ("reverb.decays.{wet}", "share", "decaying"),
        ("reverb.t20.{wet}", "factor", "decay_ratio"),
        ("reverb.ratio.{wet}", "within", "tail"),
    ),
    "both": (
        ("effect.share", "near", "wet_share"),
        ("effect.accuracy", "share", "effect_accuracy"),
    ),
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
    ),
    "dial": (("dial.monotone.{wet}", "least", "dial"),),
}
"""By claim: measures of generated notes, the rules for their whole intervals, and their limits."""

_ONLY_WITH_EFFECT = ("reverb", "both", "label", "dial")


class Condition(NamedTuple):
    """What must hold (None: cannot be tested); open where it may, by a part of the interval."""

    holds: bool | None
    rule: str
    evidence: str
    open: bool = False


def verdicts(
    report: Report,
    limits: ClaimSettings,
    losses: pd.DataFrame | None = None,
    representations: pd.DataFrame | None = None,
) -> list[Verdict]:
    """Judge every claim: it holds where all its conditions do, and fails where one does; where
    none fails by its whole interval, it is undecided.

    The report has its rows, and among its facts ``wet``, the effect that the paper adds, or None,
    and ``wet_share`` of the training notes. ``losses`` are `curves.changes` of AC and GL losses,
    ``representations`` what `representations.compare_representations` found.
    """
    judged = []
    for key, (claim, source) in CLAIMS.items():
        if key == "losses":
            conditions = _losses(losses, limits)
        elif key == "representation":
            conditions = _representations(representations)
        elif report.facts["wet"] is None and key in _ONLY_WITH_EFFECT:
            conditions = [Condition(None, "", "the data set has one effect only")]
        else:
            conditions = _conditions(key, report, limits)
        holds = [condition.holds for condition in conditions]
        unmet = [condition for condition in conditions if condition.holds is False]
        verdict = NOT_TESTABLE if None in holds else REPRODUCED
        if unmet:
            verdict = UNDECIDED if all(each.open for each in unmet) else NOT_REPRODUCED
        missed = [
            each.rule + (" (a part of its interval meets it)" if each.open else "")
            for each in unmet
            if each.rule
        ]
        rules = "; ".join(condition.rule for condition in conditions if condition.rule)
        evidence = "; ".join(condition.evidence for condition in conditions)
        judged.append(Verdict(key, claim, source, verdict, rules, evidence, missed))
    return judged


def _conditions(claim: str, report: Report, limits: ClaimSettings) -> list[Condition]:
    conditions, wet_share = [], report.facts["wet_share"]
    for key, kind, setting in CONDITIONS[claim]:
        key = key.format(wet=report.facts["wet"])
        if key == "effect.accuracy" and not (key in report and report[key].generated.known):
            continue  # The network was not told the effect.
        if key not in report:
            conditions.append(Condition(None, "", f"{key}: not measured"))
            continue
        row, (words, allowed) = report[key], RULES[kind]
        measure = row.generated
        limit = getattr(limits, setting)
        evidence = f"{row.title}: {row.text('generated')}"
        reference: float | None = wet_share
        if "ceiling" in words:
            evidence += f" (ceiling {row.text('ceiling')})"
            reference = row.ceiling.value
        rule = f"{row.name} {words.format(limit=limit, reference=wet_share)}"
        if reference is None or measure.value is None:
            conditions.append(Condition(None, rule, evidence))
            continue
        low, high = allowed(limit, reference)
        bounds = [nan if bound is None else bound for bound in (measure.low, measure.high)]
        holds = low <= bounds[0] <= bounds[1] <= high
        may_hold = bounds[0] <= high and low <= bounds[1]
        if key == "memory.training":
            # Of notes that are far from all real ones nothing can be told: noise is no new note.
            conditions.append(Condition(holds or None, f"for notes with a {rule}", evidence))
        else:
            conditions.append(Condition(holds, rule, evidence, may_hold))
    return conditions


def _losses(losses: pd.DataFrame | None, limits: ClaimSettings) -> list[Condition]:
    if losses is None or losses.empty:
        return [Condition(None, "", "no training to look at")]
    rule = f"each AC and GL loss at least {limits.loss_fall:.0%} lower in the run's last tenth"
    fell = bool((losses["last"] <= (1 - limits.loss_fall) * losses["first"]).all())
    evidence = [
        f"{str(name).replace('_', ' ')} from {row['first']:.3g} to {row['last']:.3g}"
        for name, row in losses.iterrows()
    ]
    return [Condition(fell, rule, "; ".join(evidence))]


def _representations(losses: pd.DataFrame | None) -> list[Condition]:
    if losses is None:
        return [Condition(None, "", "not measured")]
    # Of waveforms little is left in any case; see the chapter on IF-Mel.
    shown = losses.drop(columns="SNR (dB)")
    evidence = [
        f"{measure}: {', '.join(f'{name} {value:.2f}' for name, value in values.items())}"
        for measure, values in shown.items()
    ]
    beaten = bool((shown.min() < shown.loc["IF-Mel"]).any())
    rule = "the smallest median loss in each measure"
    return [Condition(not beaten, rule, "; ".join(evidence))]
