"""How a run's losses changed while it trained."""

from collections.abc import Iterable

import numpy as np
import pandas as pd


def steps(metrics: pd.DataFrame) -> pd.Series:
    """Return how many training steps each row is the mean of: one, except in a results bundle."""
    return metrics.get("steps", pd.Series(1, index=metrics.index))


def changes(metrics: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Compare the mean of each curve over the first and the last tenth of its measured steps."""
    rows, weights = {}, steps(metrics)
    for column in columns:
        values = metrics[column].dropna()
        first = _mean_of_first(values, weights[values.index])
        last = _mean_of_first(values[::-1], weights[values.index][::-1])
        rows[column] = {"first": first, "last": last, "change": last - first}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["first", "last", "change"])


def _mean_of_first(values: pd.Series, counts: pd.Series) -> float:
    """Return the mean over the first tenth of all steps, at least one."""
    left = max(counts.sum() // 10, 1) - (counts.cumsum() - counts)
    weights = np.clip(left, 0, counts)
    return (values * weights).sum() / weights.sum() if len(values) else np.nan
