"""The prepared measurement of a GPU, at its size for a processor."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import QUICKLY_COMPILED

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"


def measure(work: Path, *options: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    environment.setdefault("XLA_FLAGS", QUICKLY_COMPILED)
    command = [sys.executable, str(SCRIPT), str(work), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)


@pytest.mark.slow
def test_a_gpu_is_measured(tmp_path):
    options = ["--cpu-check", "--stages", "0", "--steps", "2", "--minutes", "0.02"]
    done = measure(tmp_path, *options)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads((tmp_path / "gpu.json").read_text())
    (stage,) = result["stages"]
    assert stage["images_a_second"] > 0
    hours = 800_000 / stage["images_a_second"] / 3600
    assert result["paper_hours"] == pytest.approx(hours, abs=0.006)
    assert result["recipe"]["images"] > 0
    assert "pitch.accuracy" in result["recipe"]["measures"]
    table = (tmp_path / "gpu.md").read_text()
    assert result["card"] in table
    assert "these numbers mean nothing" in table
    assert f"| 0 | {stage['images_a_second']} |" in table


def test_without_a_gpu_there_is_nothing_to_measure(tmp_path):
    done = measure(tmp_path / "work")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("gpu: JAX finds no GPU")
    assert not (tmp_path / "work").exists()
