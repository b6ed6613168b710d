"""How a run's losses changed while it trained."""

from collections.abc import Iterable

import numpy as np
import pandas as pd


def steps(metrics: pd.DataFrame) -> pd.Series:
    """Return how many training steps each row is the mean of: one, except in a results bundle."""
    return metrics.get("steps", pd.Series(1, index=metrics.index))


def changes(metrics: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Compare the mean of each curve over the first and the last tenth of its training steps.

    Rows of `reverbsynth.training.run.Run.metrics` count by the steps that they stand for; rows in
    which a curve was not measured do not. A curve that was never measured has NaN.

    >>> changes(pd.DataFrame({"loss": [4.0, *[3.0] * 8, 1.0]}), ["loss"])
          first  last  change
    loss    4.0   1.0    -3.0
    """
    rows, weights = {}, steps(metrics)
    for column in columns:
        values = metrics[column].dropna()
        counts = weights[values.index].to_numpy()
        first = _mean_of_first(values.to_numpy(), counts)
        last = _mean_of_first(values.to_numpy()[::-1], counts[::-1])
        rows[column] = {"first": first, "last": last, "change": last - first}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["first", "last", "change"])


def _mean_of_first(values: np.ndarray, counts: np.ndarray) -> float:
    """Return the mean over the first tenth of all steps, at least one."""
    if not len(values):
        return np.nan
    wanted = max(counts.sum() // 10, 1)
    before = np.cumsum(counts) - counts
    return float(np.average(values, weights=np.clip(wanted - before, 0, counts)))
