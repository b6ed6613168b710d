"""Fixtures shared by the whole suite."""

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

from reverbsynth.data.build import build_data
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run
from reverbsynth.training.train import train

pytest_plugins = ["tests.sounds"]

# Machines differ and may be busy; how long an example takes is not what these tests are about.
hypothesis.settings.register_profile("reverbsynth", deadline=None, derandomize=True)
hypothesis.settings.load_profile("reverbsynth")

SMALL = {
    "data": {"source": {"kind": "soundfont", "programs": [33, 36], "pitches": [40, 42]}},
    "gan": {"filters_base": 64, "filters_max": 4},
    "training": {
        "stable_images": 16,
        "transition_images": 12,
        "total_images": 10_000,
        "last_stage": 2,
        "stage_minutes": None,
        "batch": 4,
        "samples": 3,
        "griffin_lim_every": 3,
    },
}
"""Overrides that shrink any preset to seconds."""


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of stored reference values."""
    return Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def small_settings() -> Settings:
    """The tiny preset shrunk to seconds."""
    return Settings.preset("tiny", **SMALL)


@pytest.fixture(scope="session")
def small_data(small_settings, tmp_path_factory):
    """A built data set of six notes and their twins."""
    return build_data(small_settings, tmp_path_factory.mktemp("small") / "data")


@pytest.fixture(scope="session")
def small_run(small_settings, small_data, tmp_path_factory) -> Run:
    """A finished run of stages 0 to 2."""
    return train(small_settings, small_data, tmp_path_factory.mktemp("small") / "run")


_UNDER_JAX = "test_the_same_tests_pass_under_jax"
_BOTH_BACKENDS = (
    "tests/spectra",
    "tests/gan",
    "tests/instrument/test_instrument.py",
    "tests/training/test_train.py::test_until_stage_stops_there_and_goes_on",
    "tests/training/test_train.py::test_instrument_of_a_run_sounds",
)


@pytest.fixture(scope="session")
def jax_suite(tmp_path_factory):
    """Tests in a process of their own, under JAX: the process, and the file of its output."""
    path = tmp_path_factory.mktemp("jax") / "output.txt"
    with path.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *_BOTH_BACKENDS],
            env={**os.environ, "KERAS_BACKEND": "jax"},
            cwd=Path(__file__).parent.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    yield process, path
    process.kill()
    process.wait()


@pytest.fixture(scope="session", autouse=True)
def _begin_early(request):
    """Let the tests under JAX run beside the others, where they are asked for."""
    if (
        any(item.name == _UNDER_JAX for item in request.session.items)
        and os.environ.get("KERAS_BACKEND", "tensorflow") != "jax"
    ):
        request.getfixturevalue("jax_suite")


def pytest_collection_modifyitems(items) -> None:
    """What only waits for another process comes last."""
    items.sort(key=lambda item: item.name == _UNDER_JAX)


def pytest_sessionfinish(session, exitstatus) -> None:
    """In continuous integration a skipped test is a failure: everything it needs is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
