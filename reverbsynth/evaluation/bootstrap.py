"""A measure: a number with its confidence interval, or the reason why there is none."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
from scipy import stats

from reverbsynth.settings import EvaluationSettings

TOO_FEW = "too few notes"
UNDEFINED = "undefined"
Groups = Sequence[np.ndarray | None]  #: By sample, the source note of each of its notes.


class NotMeasured(Exception):  # noqa: N818
    """A measure has no number; the message is the reason that tables show in its place."""


@dataclass(frozen=True)
class Measure:
    """A number with its confidence interval, or why there is none; of ``seeds`` it is the mean."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    notes: int = 0
    missing_reason: str = ""
    seeds: tuple[float, ...] = ()

    @property
    def known(self) -> bool:
        return self.value is not None

    def text(self, digits: int = 2, scale: float = 1) -> str:
        """Return a table's cell: the number with its interval or range, or why there is none."""
        if self.value is None:
            return self.missing_reason
        text = f"{scale * self.value:,.{digits}f}"
        if self.seeds:
            least, most = scale * min(self.seeds), scale * max(self.seeds)
            return f"{text} ({least:,.{digits}f} to {most:,.{digits}f})"
        if self.low is None or self.high is None:
            return text
        return f"{text} [{scale * self.low:,.{digits}f}, {scale * self.high:,.{digits}f}]"


@dataclass(frozen=True)
class Bootstrap:
    """Efron's bootstrap ("Bootstrap methods: another look at the jackknife", 1979).

    Where ``groups`` name each note's source note, a note and its twins are drawn together. Fewer
    notes than ``least``, or all of one source note, are not measured.
    """

    resamples: int = 1000
    confidence: float = 0.95
    least: int = 8
    seed: int = 0

    @classmethod
    def of(cls, settings: EvaluationSettings, seed: int = 0) -> "Bootstrap":
        return cls(settings.resamples, settings.confidence, settings.min_notes, seed)

    def mean(self, values: np.ndarray, groups: np.ndarray | None = None) -> Measure:
        """Measure the mean of the notes' values, as `median` does the median."""
        return self._percentile(np.mean, values, groups)

    def median(
        self,
        values: np.ndarray,
        missing_reasons: Sequence[str] = (),
        groups: np.ndarray | None = None,
    ) -> Measure:
        """Measure the median of the values [shape=(n,)] that are not NaN, or why too few are."""
        measure = self._percentile(np.median, values, groups)
        reason = measure.missing_reason and most_frequent(missing_reasons)
        return replace(measure, missing_reason=reason) if reason else measure

    def proportion(self, answers: np.ndarray, groups: np.ndarray | None = None) -> Measure:
        """Measure the share of true answers [shape=(n,), bool].

        Where all answers agree, resamples do not differ; the interval is then Wilson's, of as many
        answers as there are source notes ("Probable inference, the law of succession, and
        statistical inference", 1927).
        """
        answers = np.asarray(answers, bool)
        share, notes = answers.mean() if len(answers) else 0.0, len(answers)
        if notes < self.least or 0 < share < 1:
            return self._percentile(np.mean, answers, groups)
        sources = len(_by_source(notes, groups))
        agreeing = stats.binomtest(int(share) * sources, sources)
        low, high = agreeing.proportion_ci(self.confidence, "wilson")
        return Measure(float(share), float(low), float(high), notes)

    def statistic(
        self,
        function: Callable[..., float],
        *samples: np.ndarray,
        groups: Groups = (),
        least: int = 0,
        bounds: tuple[float, float] = (-math.inf, math.inf),
    ) -> Measure:
        """Measure a statistic of one or more independent samples, each resampled separately.

        Statistics such as a Fréchet distance grow when notes repeat: resamples may all lie above
        the value itself. The interval is therefore the standard one, the value ± z times the
        resamples' standard deviation (Efron and Tibshirani, "An introduction to the bootstrap",
        1993, section 13.2). The function returns NaN where it is undefined; ``least`` is the fewest
        notes of a sample, if more than the bootstrap's, and ``bounds`` are the statistic's.
        """
        smallest = min(map(len, samples))
        sources = [len(_by_source(len(each), of)) for each, of in zip_longest(samples, groups)]
        if smallest < max(self.least, least) or min(sources) < 2:
            return Measure(notes=smallest, missing_reason=TOO_FEW)
        resampled = self._resampled(function, samples, groups)
        resampled = resampled[np.isfinite(resampled)]
        value = function(*samples)
        if not math.isfinite(value) or len(resampled) < 2:
            return Measure(notes=smallest, missing_reason=UNDEFINED)
        margin = stats.norm.ppf((1 + self.confidence) / 2) * resampled.std(ddof=1)
        low, high = np.clip([value - margin, value + margin], *bounds)
        return Measure(float(value), float(low), float(high), smallest)

    def _percentile(
        self, function: Callable, values: np.ndarray, groups: np.ndarray | None
    ) -> Measure:
        values = np.asarray(values, np.float64)
        groups = None if groups is None else groups[np.isfinite(values)]
        values = values[np.isfinite(values)]
        if len(values) < self.least or len(_by_source(len(values), groups)) < 2:
            return Measure(notes=len(values), missing_reason=TOO_FEW)
        tails = (1 - self.confidence) / 2, (1 + self.confidence) / 2
        low, high = np.quantile(self._resampled(function, [values], [groups]), tails)
        return Measure(float(function(values)), float(low), float(high), len(values))

    def _resampled(
        self, function: Callable[..., float], samples: Sequence[np.ndarray], groups: Groups
    ) -> np.ndarray:
        """Return a statistic of resamples: of as many source notes, drawn with replacement."""
        rng = np.random.default_rng(self.seed)
        notes = [_by_source(len(each), of) for each, of in zip_longest(samples, groups)]

        def resample(sample: np.ndarray, notes: list[np.ndarray]) -> np.ndarray:
            drawn = rng.integers(len(notes), size=len(notes))
            return sample[np.concatenate([notes[source] for source in drawn])]

        return np.array([function(*map(resample, samples, notes)) for _ in range(self.resamples)])


def _by_source(count: int, groups: np.ndarray | None) -> list[np.ndarray]:
    """Return the indices of each source note's notes; without groups each note is its own."""
    source = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = np.argsort(source, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(source[order])) + 1)


def most_frequent(reasons: Sequence[str]) -> str:
    """Return the most frequent reason that is not empty, or an empty string."""
    counted = Counter(reason for reason in reasons if reason)
    return counted.most_common(1)[0][0] if counted else ""
