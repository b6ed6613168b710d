"""The strength of what is changed for the critic follows its overfitting, on resuming too."""

import numpy as np
import pytest

from reverbsynth.data.build import build_data
from reverbsynth.errors import ReverbSynthError
from reverbsynth.training.callbacks import CheckpointCallback
from reverbsynth.training.train import train

from .test_train import same_state

TARGET, START, STEP = 0.3, 0.5, 4 * 2 / 50
ADAPTIVE = {
    "augmentation": {
        "gain": 6.0,
        "shift": 0.25,
        "strength": START,
        "target": TARGET,
        "images": 50,
        "every": 2,
    },
    "losses.penalty_every": 2,
    "training.last_stage": 1,
}


@pytest.fixture(scope="module")
def adapted(small_settings, small_data, tmp_path_factory):
    settings = small_settings.replace(**ADAPTIVE)
    return train(settings, small_data, tmp_path_factory.mktemp("adapted") / "run")


def test_strength_follows_what_was_measured(adapted):
    curves = adapted.metrics()
    strength, measured = curves["augmentation_strength"], curves["overfitting"]
    assert len(curves) == 7
    assert strength[0] == START
    # A row shows what held during its step: the measurement after an even one moves the next.
    for row in range(len(curves) - 1):
        expected = strength[row]
        if row % 2 == 0:
            expected = np.clip(expected + np.copysign(STEP, measured[row + 1] - TARGET), 0, 1)
        assert strength[row + 1] == pytest.approx(expected, abs=1e-6)
    assert measured.nunique() > 2


def test_resuming_goes_on_with_the_strength_and_the_last_penalty(
    adapted, small_data, tmp_path, monkeypatch
):
    """In the middle of the second stage, at a step that leaves the penalty out."""
    count = 0
    end = CheckpointCallback.on_train_batch_end

    def stop_soon(self, batch, logs=None):
        nonlocal count
        count += 1
        self.interrupted = self.interrupted or count == 5
        end(self, batch, logs)

    monkeypatch.setattr(CheckpointCallback, "on_train_batch_end", stop_soon)
    assert not train(adapted.settings, small_data, tmp_path / "run").finished
    same_state(adapted, train(adapted.settings, small_data, tmp_path / "run"))


def test_a_target_needs_held_out_notes(small_settings, tmp_path):
    settings = small_settings.replace(**ADAPTIVE, **{"data.split": [1.0, 0.0, 0.0]})
    data = build_data(settings, tmp_path / "data")
    with pytest.raises(ReverbSynthError, match="validation split holds no notes"):
        train(settings, data, tmp_path / "run")
