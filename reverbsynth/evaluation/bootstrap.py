"""A measure: a number with its confidence interval, or the reason why there is none."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from reverbsynth.settings import EvaluationSettings

TOO_FEW = "too few notes"
UNDEFINED = "undefined"


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

    A note and its twin count as two independent notes, so intervals that pool both are a little too
    narrow. Fewer notes than ``least`` are not measured.
    """

    resamples: int = 1000
    confidence: float = 0.95
    least: int = 8
    seed: int = 0

    @classmethod
    def of(cls, settings: EvaluationSettings, seed: int = 0) -> "Bootstrap":
        return cls(settings.resamples, settings.confidence, settings.min_notes, seed)

    def mean(self, values: np.ndarray) -> Measure:
        """Measure the mean of the notes' values, as `median` does the median."""
        return self._percentile(np.mean, values)

    def median(self, values: np.ndarray, missing_reasons: Sequence[str] = ()) -> Measure:
        """Measure the median of the values [shape=(n,)] that are not NaN, or why too few are."""
        return self._percentile(np.median, values, missing_reasons)

    def proportion(self, answers: np.ndarray) -> Measure:
        """Measure the share of true answers [shape=(n,), bool].

        Where all answers agree, resamples do not differ; the interval is then Wilson's ("Probable
        inference, the law of succession, and statistical inference", 1927).
        """
        answers = np.asarray(answers, bool)
        count, notes = int(answers.sum()), len(answers)
        if notes < self.least or 0 < count < notes:
            return self._percentile(np.mean, answers)
        low, high = stats.binomtest(count, notes).proportion_ci(self.confidence, "wilson")
        return Measure(count / notes, float(low), float(high), notes)

    def statistic(
        self,
        function: Callable[..., float],
        *samples: np.ndarray,
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
        if smallest < max(self.least, least):
            return Measure(notes=smallest, missing_reason=TOO_FEW)
        rng = np.random.default_rng(self.seed)

        def resample(sample: np.ndarray) -> np.ndarray:
            return sample[rng.integers(len(sample), size=len(sample))]

        resampled = np.array([function(*map(resample, samples)) for _ in range(self.resamples)])
        resampled = resampled[np.isfinite(resampled)]
        value = function(*samples)
        if not math.isfinite(value) or len(resampled) < 2:
            return Measure(notes=smallest, missing_reason=UNDEFINED)
        margin = stats.norm.ppf((1 + self.confidence) / 2) * resampled.std(ddof=1)
        low, high = np.clip([value - margin, value + margin], *bounds)
        return Measure(float(value), float(low), float(high), smallest)

    def _percentile(
        self, function: Callable, values: np.ndarray, missing_reasons: Sequence[str] = ()
    ) -> Measure:
        values = np.asarray(values, np.float64)
        values = values[np.isfinite(values)]
        if len(values) < self.least:
            reason = most_frequent(missing_reasons) or TOO_FEW
            return Measure(notes=len(values), missing_reason=reason)
        low, high = stats.bootstrap(
            (values,),
            function,
            n_resamples=self.resamples,
            confidence_level=self.confidence,
            method="percentile",
            rng=np.random.default_rng(self.seed),
        ).confidence_interval
        return Measure(float(function(values)), float(low), float(high), len(values))


def most_frequent(reasons: Sequence[str]) -> str:
    """Return the most frequent reason that is not empty, or an empty string."""
    counted = Counter(reason for reason in reasons if reason)
    return counted.most_common(1)[0][0] if counted else ""
