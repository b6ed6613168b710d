"""Training notes of the keys that generated notes were asked for."""

from types import SimpleNamespace

import numpy as np
import pytest

from reverbsynth.evaluation.metrics.per_note import _of_generated_keys

INSTRUMENTS = ["acoustic", "finger", "pick"]


@pytest.mark.parametrize("times", [1, 2, 4])
def test_every_instrument_counts_as_often_as_the_others(times):
    """However few notes of a key were asked for; its notes lie in the order of instruments."""
    keys = np.arange(40, 46)
    training = SimpleNamespace(
        pitch=np.repeat(keys, 2 * len(INSTRUMENTS)),
        effect=np.tile(np.repeat(["dry", "reverb"], len(INSTRUMENTS)), len(keys)),
    )
    instrument = np.tile(INSTRUMENTS, 2 * len(keys))
    asked = np.repeat(keys, times)
    data = SimpleNamespace(
        wet="reverb",
        training=SimpleNamespace(clips=training),
        generated=SimpleNamespace(
            clips=SimpleNamespace(pitch=np.append(asked, [40, 99])),
            effects=np.array([*["reverb"] * len(asked), "dry", "reverb"]),
        ),
    )
    found = _of_generated_keys(data)
    assert training.pitch[found].tolist() == asked.tolist()  # None of a key without recordings.
    assert set(training.effect[found]) == {"reverb"}
    counts = [np.sum(instrument[found] == name) for name in INSTRUMENTS]
    assert counts == [len(asked) / len(INSTRUMENTS)] * len(INSTRUMENTS)
