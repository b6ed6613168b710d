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
    """A number measured of so many notes, with its confidence interval, or why there is none.

    Of several trainings it is their mean, the interval holds all of theirs, and ``seeds`` are the
    numbers of each.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    notes: int = 0
    missing_reason: str = ""
    seeds: tuple[float, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is a number."""
        return self.value is not None

    def within(self, low: float, high: float) -> bool:
        """Return whether there is an interval and all of it lies between two limits."""
        return (
            self.low is not None and self.high is not None and low <= self.low <= self.high <= high
        )

    def text(self, digits: int = 2, scale: float = 1) -> str:
        """Return a table's cell: the number with its interval, or why there is none.

        Of several seeds it is the mean with the lowest and the highest number.

        >>> Measure(0.981, 0.952, 0.99, notes=80).text(1, scale=100)
        '98.1 [95.2, 99.0]'
        >>> Measure(0.97, 0.9, 0.99, seeds=(0.96, 0.98)).text(1, scale=100)
        '97.0 (96.0 to 98.0)'
        """
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

    Notes are resampled with replacement. A note and its twin count as two independent notes, so
    intervals that pool both are a little too narrow. Fewer notes than ``least`` are not measured.
    """

    resamples: int = 1000
    confidence: float = 0.95
    least: int = 8
    seed: int = 0

    @classmethod
    def of(cls, settings: EvaluationSettings, seed: int = 0) -> "Bootstrap":
        """Return the bootstrap that the settings describe."""
        return cls(settings.resamples, settings.confidence, settings.min_notes, seed)

    def mean(self, values: np.ndarray) -> Measure:
        """Measure the mean of the notes' values, as `median` does the median."""
        return self._percentile(np.mean, values)

    def median(self, values: np.ndarray, missing_reasons: Sequence[str] = ()) -> Measure:
        """Measure the median of the notes' values [shape=(n,)], with its percentile interval.

        A note without a value has NaN. Where too few have one, the most frequent missing reason is
        given.
        """
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

        Statistics such as a Fréchet distance grow when notes repeat, so that their resamples may
        all lie above the value itself, where percentiles make no interval. The interval is the
        standard one, the value ± z times the resamples' standard deviation (Efron and Tibshirani,
        "An introduction to the bootstrap", 1993, section 13.2). It tells the spread, and leaves
        the bias of a small sample as it is.

        The function takes as many arrays as there are samples, and returns NaN where it is
        undefined. ``least`` is the fewest notes of a sample, if more than the bootstrap's;
        ``bounds`` are the smallest and the largest value that the statistic can have.
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
        if np.ptp(values) == 0:
            value = float(values[0])
            return Measure(value, value, value, len(values))
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
    """Return the most frequent reason that is not empty, or an empty string.

    >>> most_frequent(["plateau", "silent", "plateau", "", "", ""])
    'plateau'
    """
    counted = Counter(reason for reason in reasons if reason)
    return counted.most_common(1)[0][0] if counted else ""
