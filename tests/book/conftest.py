"""What tests of figures and captions share."""

import numpy as np
import pandas as pd
import pytest

from reverbsynth.settings import Settings
from reverbsynth.training.run import Run
from reverbsynth.training.samples import Samples


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory, for files beside the page."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(tmp_path) -> Run:
    """A run of two stages with metrics and samples that were made up."""
    settings = Settings.preset("tiny")
    steps = np.arange(40)
    rising, falling = 1 + steps / 40, 3 - steps / 40
    rare = np.where(steps % 5 == 0, falling, np.nan)
    columns = {
        "images": 8 * (steps + 1),
        "stage": np.where(steps < 30, 0, 1),
        "seconds": 0.5 * (steps + 1),
        "discriminator_wasserstein": -rising,
        "generator_wasserstein": rising,
        "gradient_penalty": falling,
        "fake_pitch_loss": rising,
        "real_pitch_loss": falling,
        "fake_consistency": rare,
        "real_consistency": rare,
    }
    directory = tmp_path / "tiny-run"
    manifest = {
        "commit": "abc123",
        "preset": "tiny",
        "settings_hash": settings.hash,
        "seed": 0,
        "data_sha256": "0" * 64,
        "vocabulary": [["pitch", [36, 37, 38]]],
        "images_seen": 320,
        "wall_seconds": 20.0,
        "versions": {"python": "3.11"},
        "finished": True,
    }
    made = Run(directory, settings, manifest)
    directory.mkdir()
    pd.DataFrame(columns).to_csv(made.metrics_path, index=False)
    images = np.random.default_rng(0).normal(size=(2, 4, 32, 2)).astype(np.float32)
    samples = Samples(images, images + 1, {"pitch": [36, 38]})
    made.save_stage(1, {"w": np.zeros(1, np.float32)}, samples)
    return made
