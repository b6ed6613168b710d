"""Verdicts on what the paper claims, from limits that the settings state in advance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd
from pydantic import ValidationError

from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.report import Report, Row, Verdict
from reverbsynth.settings import ClaimSettings

REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE = "reproduced", "not reproduced", "not testable"
PAPER = "the paper"
IMPLIED = "implied by the paper"
BEYOND = "asked for in the paper's conclusion"


@dataclass(frozen=True)
class Condition:
    """What must hold: whether it does (None: there is no telling), its rule, what was found.

    ``close`` says of one that does not hold that the value meets the limit, but not its interval.
    """

    holds: bool | None
    rule: str
    found: str
    close: bool = False


def verdicts(
    report: Report,
    limits: ClaimSettings,
    wet: str | None,
    wet_share: float,
    losses: pd.DataFrame | None = None,
    representations: pd.DataFrame | None = None,
) -> list[Verdict]:
    """Judge every claim.

    Parameters
    ----------
    report : Report
        With its rows.
    limits : ClaimSettings
    wet : str or None
        The effect that the paper adds; None where the data have none.
    wet_share : float
        Share of it among the training notes.
    losses : DataFrame, optional
        Of a run, as `loss_falls` makes it. An instrument alone has none.
    representations : DataFrame, optional
        As `reverbsynth.evaluation.representations.compare_representations` makes it.
    """
    found = _conditions(report, limits, wet, wet_share, losses, representations)
    return [judged(*claim) for claim in found]


def missed(report: Report) -> dict[str, list[Condition]]:
    """By claim, the measures of a report that fall short of their limits.

    Judged anew from what the report holds: its measures, and the limits it was made with. Empty
    where another version had other limits.
    """
    facts = report.facts
    try:
        limits = ClaimSettings.model_validate(facts["settings"]["claims"])
    except (KeyError, ValidationError):
        return {}
    found = _conditions(report, limits, facts["wet"], facts["wet_share"])
    return {key: [each for each in several if each.holds is False] for key, *_, several in found}


def _conditions(
    report: Report,
    limits: ClaimSettings,
    wet: str | None,
    wet_share: float,
    losses: pd.DataFrame | None = None,
    representations: pd.DataFrame | None = None,
) -> list[tuple[str, str, str, list[Condition]]]:
    """Key, claim, source and conditions of every claim; parameters as of `verdicts`."""
    judge = _Judge(report)
    return [
        ("losses", "All losses fall while the network learns.", PAPER, _losses(losses, limits)),
        (
            "pitch",
            "A generated note has the pitch that was asked for.",
            IMPLIED,
            [
                judge.of_ceiling("pitch.accuracy", limits.pitch_accuracy),
                judge.at_most("pitch.cents", limits.cents),
            ],
        ),
        ("reverb", "Generated notes already carry the reverb.", PAPER, _reverb(judge, limits, wet)),
        (
            "both",
            "One network plays notes with the effect and without.",
            IMPLIED,
            _both(judge, limits, wet, wet_share),
        ),
        (
            "similar",
            "Generated notes sound like the data set.",
            PAPER,
            [
                judge.times_ceiling("spectrum.nearest", limits.spectral_distance),
                judge.off_ceiling("spectrum.treble", limits.treble),
                judge.beyond_ceiling("distribution.bins", limits.bins),
                judge.of_ceiling("control.diversity", limits.diversity),
            ],
        ),
        (
            "new",
            "They are new notes, not copies of training notes.",
            IMPLIED,
            [
                judge.close_enough("memory.training", limits.spectral_distance),
                judge.at_most("memory.copying", limits.copying),
            ],
        ),
        (
            "tune",
            "One latent vector is one instrument: it plays a tune.",
            PAPER,
            [
                judge.of_ceiling("control.tail", limits.timbre),
                judge.of_ceiling("control.pitch", limits.pitch_accuracy),
            ],
        ),
        (
            "representation",
            "Of the representations, IF-Mel loses least.",
            PAPER,
            _representations(representations),
        ),
        ("label", "The effect can be asked for by name.", BEYOND, _label(judge, limits, wet)),
        ("dial", "It can be dialled, not only switched.", BEYOND, _dial(judge, limits, wet)),
    ]


def judged(key: str, claim: str, source: str, conditions: list[Condition]) -> Verdict:
    """A claim holds where all conditions do, and fails where one does."""
    holds = [condition.holds for condition in conditions]
    if False in holds:
        word = NOT_REPRODUCED
    else:
        word = NOT_TESTABLE if None in holds or not holds else REPRODUCED
    return Verdict(
        key,
        claim,
        source,
        word,
        "; ".join(condition.rule for condition in conditions if condition.rule),
        "; ".join(condition.found for condition in conditions),
    )


def loss_falls(metrics: pd.DataFrame) -> pd.DataFrame:
    """Mean of each AC and GL loss over the first and the last tenth of its measurements.

    Parameters
    ----------
    metrics : DataFrame
        A run's, as `reverbsynth.training.run.Run.metrics` has them.

    Returns
    -------
    DataFrame
        A row for each loss: ``first`` and ``last``.
    """
    rows = {}
    for column in metrics.columns:
        prefix, _, rest = column.partition("_")
        if prefix not in ("fake", "real") or not rest.endswith(("loss", "consistency")):
            continue
        values = metrics[column].dropna().to_numpy()
        tenth = max(len(values) // 10, 1)
        if len(values) > 1:
            rows[column] = {"first": values[:tenth].mean(), "last": values[-tenth:].mean()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["first", "last"])


class _Judge:
    """Compares the generated notes' whole interval with a limit."""

    def __init__(self, report: Report):
        self._report = report

    def known(self, key: str) -> bool:
        """Whether the generated notes have this measure."""
        return key in self._report and self._report[key].generated.known

    def at_least(self, key: str, limit: float) -> Condition:
        return self._judged(key, "at least {limit}", lambda _: limit, lambda m, x: m.low >= x)

    def at_most(self, key: str, limit: float) -> Condition:
        return self._judged(key, "at most {limit}", lambda _: limit, lambda m, x: m.high <= x)

    def of_ceiling(self, key: str, share: float) -> Condition:
        """At least a share of the ceiling's."""
        return self._judged(
            key,
            f"at least {share:.0%} of the ceiling's",
            lambda row: share * row.ceiling.value,
            lambda m, x: m.low >= x,
            ceiling=True,
        )

    def times_ceiling(self, key: str, factor: float) -> Condition:
        """At most a multiple of the ceiling's."""
        return self._judged(
            key,
            f"at most {factor:g} times the ceiling's",
            lambda row: factor * row.ceiling.value,
            lambda m, x: m.high <= x,
            ceiling=True,
        )

    def close_enough(self, key: str, factor: float) -> Condition:
        """No telling of notes that are farther away than a multiple of the ceiling's."""
        found = self.times_ceiling(key, factor)
        return Condition(found.holds or None, f"for notes with a {found.rule}", found.found)

    def beyond_ceiling(self, key: str, margin: float) -> Condition:
        """At most so much more than the ceiling's."""
        return self._judged(
            key,
            f"at most {margin:.0%} of all bins above the ceiling's",
            lambda row: row.ceiling.value + margin,
            lambda m, x: m.high <= x,
            ceiling=True,
        )

    def off_ceiling(self, key: str, margin: float) -> Condition:
        """Within a margin of the ceiling's, either way."""
        return self._judged(
            key,
            f"within {margin:g} dB of the ceiling's",
            lambda row: row.ceiling.value,
            lambda m, x: m.low >= x - margin and m.high <= x + margin,
            ceiling=True,
        )

    def factor_of_ceiling(self, key: str, factor: float) -> Condition:
        """Within a factor of the ceiling's, either way."""
        return self._judged(
            key,
            f"within a factor of {factor:g} of the ceiling's",
            lambda row: row.ceiling.value,
            lambda m, x: m.low >= x / factor and m.high <= x * factor,
            ceiling=True,
        )

    def near(self, key: str, center: float, margin: float) -> Condition:
        """Within a margin of a share."""
        return self._judged(
            key,
            f"within {margin:.0%} of the training notes' {center:.0%}",
            lambda _: center,
            lambda m, x: m.low >= x - margin and m.high <= x + margin,
        )

    def _judged(
        self,
        key: str,
        rule: str,
        limit: Callable[[Row], float],
        holds: Callable[[Measure, float], bool],
        ceiling: bool = False,
    ) -> Condition:
        row = self._report[key]
        found = f"{row.title}: {row.text('generated')}"
        if ceiling:
            found += f" (ceiling {row.text('ceiling')})"
        testable = row.generated.known and (row.ceiling.known or not ceiling)
        bound = limit(row) if testable or not ceiling else None
        rule = f"{row.name} {rule.format(limit=_amount(bound, row.unit))}"
        if not testable:
            return Condition(None, rule, found)
        value = row.generated.value
        close = holds(replace(row.generated, low=value, high=value), bound)
        return Condition(bool(holds(row.generated, bound)), rule, found, bool(close))


def _reverb(judge: _Judge, limits: ClaimSettings, wet: str | None) -> list[Condition]:
    if wet is None:
        return [_no_effect()]
    return [
        judge.of_ceiling(f"reverb.decays.{wet}", limits.decaying),
        judge.factor_of_ceiling(f"reverb.t20.{wet}", limits.decay_ratio),
        judge.off_ceiling(f"reverb.ratio.{wet}", limits.tail),
    ]


def _both(
    judge: _Judge, limits: ClaimSettings, wet: str | None, wet_share: float
) -> list[Condition]:
    if wet is None:
        return [_no_effect()]
    conditions = [judge.near("effect.share", wet_share, limits.wet_share)]
    if judge.known("effect.accuracy"):
        conditions.append(judge.of_ceiling("effect.accuracy", limits.effect_accuracy))
    return conditions


def _label(judge: _Judge, limits: ClaimSettings, wet: str | None) -> list[Condition]:
    if wet is None:
        return [_no_effect()]
    return [
        judge.of_ceiling(f"paired.ratio.{wet}", limits.effect_change),
        judge.of_ceiling("paired.heard", limits.effect_accuracy),
    ]


def _dial(judge: _Judge, limits: ClaimSettings, wet: str | None) -> list[Condition]:
    if wet is None:
        return [_no_effect()]
    return [judge.at_least(f"dial.monotone.{wet}", limits.dial)]


def _losses(losses: pd.DataFrame | None, limits: ClaimSettings) -> list[Condition]:
    if losses is None or losses.empty:
        return [Condition(None, "", "no training to look at")]
    rule = f"each AC and GL loss at least {limits.loss_fall:.0%} lower in the run's last tenth"
    conditions = []
    for name, row in losses.iterrows():
        fell = row["last"] <= (1 - limits.loss_fall) * row["first"]
        found = f"{str(name).replace('_', ' ')} from {row['first']:.3g} to {row['last']:.3g}"
        conditions.append(Condition(bool(fell), rule, found))
        rule = ""
    return conditions


def _representations(losses: pd.DataFrame | None) -> list[Condition]:
    if losses is None:
        return [Condition(None, "", "not measured")]
    rule = "the smallest median loss in each measure"
    conditions = []
    # Of waveforms little is left in any case; see the chapter on IF-Mel.
    for measure in losses.columns.drop("SNR (dB)"):
        values: Mapping[str, float] = losses[measure].to_dict()
        found = ", ".join(f"{name} {value:.2f}" for name, value in values.items())
        least = min(values, key=values.get) == "IF-Mel"
        conditions.append(Condition(least, rule, f"{measure}: {found}"))
        rule = ""
    return conditions


def _no_effect() -> Condition:
    return Condition(None, "", "the data set has one effect only")


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.0%}" if unit == "%" else f"{value:g} {unit}".strip()
