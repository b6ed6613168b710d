"""A measure: a number with its confidence interval, or the word that stands in its place."""

import math
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from reverbsynth.settings import EvaluationSettings

TOO_FEW = "too few notes"
UNDEFINED = "undefined"


@dataclass(frozen=True)
class Measure:
    """What was measured.

    Attributes
    ----------
    value, low, high
        The number and its confidence interval; None where there is none.
    notes
        How many notes it rests on.
    missing_reason
        Why there is no number; empty where there is one.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    notes: int = 0
    missing_reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a number."""
        return self.value is not None

    def text(self, digits: int = 2) -> str:
        """The measure as a cell of a table: ``98.10 [95.20, 99.00]``, or its word."""
        if not self.known:
            return self.missing_reason
        number = f"{{:,.{digits}f}}"
        text = number.format(self.value)
        if self.low is None:
            return text
        return f"{text} [{number.format(self.low)}, {number.format(self.high)}]"


@dataclass(frozen=True)
class Bootstrap:
    """Efron's bootstrap ("Bootstrap methods: another look at the jackknife", 1979).

    Notes are drawn anew with replacement; the percentiles of what is then measured bound the
    interval (`scipy.stats.bootstrap`). A note and its twin count as two notes here, so intervals
    of real notes that pool both are a little too narrow.

    Attributes
    ----------
    resamples, confidence
        How often notes are drawn, and the interval's coverage.
    least
        Fewest notes that are measured.
    seed
        Of the draws.
    """

    resamples: int = 1000
    confidence: float = 0.95
    least: int = 8
    seed: int = 0

    @classmethod
    def of(cls, settings: EvaluationSettings, seed: int = 0) -> "Bootstrap":
        """As the settings say."""
        return cls(settings.resamples, settings.confidence, settings.min_notes, seed)

    def mean(self, values: np.ndarray, missing_reasons: Sequence[str] = ()) -> Measure:
        """Mean of the notes' values; see `median`."""
        return self._typical(np.mean, values, missing_reasons)

    def median(self, values: np.ndarray, missing_reasons: Sequence[str] = ()) -> Measure:
        """Median of the notes' values.

        Parameters
        ----------
        values : ndarray [shape=(n,)]
            NaN where a note has no value.
        missing_reasons : sequence of str, optional
            Why a note has none. The most frequent is the answer where too few notes have one.
        """
        return self._typical(np.median, values, missing_reasons)

    def proportion(self, answers: np.ndarray, missing_reason: str = "") -> Measure:
        """Share of notes that answer yes [shape=(n,), bool].

        Where all answers agree a bootstrap has no spread; Wilson's interval ("Probable inference",
        1927) stands in.
        """
        answers = np.asarray(answers, bool)
        count = int(answers.sum())
        if len(answers) < self.least:
            return Measure(notes=len(answers), missing_reason=missing_reason or TOO_FEW)
        if 0 < count < len(answers):
            return self._typical(np.mean, answers.astype(float), ())
        found = stats.binomtest(count, len(answers)).proportion_ci(self.confidence, "wilson")
        return Measure(float(answers[0]), float(found.low), float(found.high), len(answers))

    def statistic(
        self,
        function: Callable[..., float],
        *samples: np.ndarray,
        missing_reason: str = "",
        least: int = 0,
        bounds: tuple[float, float] = (-math.inf, math.inf),
    ) -> Measure:
        """A statistic of one or more samples, drawn anew each on its own.

        Statistics such as a Fréchet distance grow when notes repeat. So the interval is that of
        the resamples, moved to where its middle is the statistic of the notes themselves: it tells
        the spread and leaves the bias of a small sample as it is.

        Parameters
        ----------
        function : callable
            Of as many arrays as there are samples; NaN where it cannot tell.
        samples : ndarray [shape=(n, ...)]
        missing_reason : str, optional
            The answer where a sample is too small.
        least : int, optional
            Fewest notes of a sample, if more than `Bootstrap.least`.
        bounds : tuple of float, optional
            What the statistic cannot pass, nor its interval.
        """
        smallest = min(map(len, samples))
        if smallest < max(self.least, least):
            return Measure(notes=smallest, missing_reason=missing_reason or TOO_FEW)
        value = function(*samples)
        if not math.isfinite(value):
            return Measure(notes=smallest, missing_reason=missing_reason or UNDEFINED)

        def resampled(*places: np.ndarray) -> float:
            drawn = (sample[place] for sample, place in zip(samples, places, strict=True))
            return function(*drawn)

        places = tuple(np.arange(len(sample)) for sample in samples)
        found = self._resampled(places, resampled, vectorized=False).bootstrap_distribution
        found = found[np.isfinite(found)]
        if not len(found):
            return Measure(notes=smallest, missing_reason=missing_reason or UNDEFINED)
        tails = (50 * (1 - self.confidence), 50 * (1 + self.confidence))
        interval = np.percentile(found, tails) - np.median(found) + value
        low, high = np.clip(interval, *bounds)
        return Measure(float(value), float(low), float(high), smallest)

    def _typical(self, function, values: np.ndarray, missing_reasons: Sequence[str]) -> Measure:
        values = np.asarray(values, np.float64)
        values = values[np.isfinite(values)]
        if len(values) < self.least:
            return Measure(notes=len(values), missing_reason=commonest(missing_reasons) or TOO_FEW)
        if np.ptp(values) == 0:
            value = float(values[0])
            return Measure(value, value, value, len(values))
        found = self._resampled((values,), function).confidence_interval
        return Measure(float(function(values)), float(found.low), float(found.high), len(values))

    def _resampled(self, samples: tuple, function: Callable, vectorized: bool = True):
        with warnings.catch_warnings():
            # Resamples may all be alike; the interval then has no width, and is right.
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            return stats.bootstrap(
                samples,
                function,
                n_resamples=self.resamples,
                confidence_level=self.confidence,
                method="percentile",
                vectorized=vectorized,
                rng=np.random.default_rng(self.seed),
            )


def commonest(missing_reasons: Sequence[str]) -> str:
    """The most frequent word; empty missing_reasons do not count."""
    counted = Counter(word for word in missing_reasons if word)
    return counted.most_common(1)[0][0] if counted else ""
