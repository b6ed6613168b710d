"""Fixtures shared by the whole suite."""

import os
from pathlib import Path

import hypothesis
import pytest

from reverbsynth.settings import Settings
from tests import chromium
from tests.forks import Forks

pytest_plugins = ["tests.sounds"]

# ONNX Runtime would report its use over the network and mark the home directory.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# What JAX has compiled once is compiled for all processes, and for the next time.
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax")
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
QUICKLY_COMPILED = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_use_fusion_emitters=false"
)
"""``XLA_FLAGS`` of JAX that halve the time to compile a step: most of what a test of JAX takes."""
if os.environ.get("KERAS_BACKEND") == "jax":
    os.environ.setdefault("XLA_FLAGS", QUICKLY_COMPILED)

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
        "stage_images": None,
        "batch": 4,
        "samples": 3,
        "griffin_lim_every": 6,
    },
}
"""Overrides that shrink any preset to seconds."""


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of stored reference values."""
    return Path(__file__).parent / "fixtures"


PAPERS_STEP = {
    "gan.pitch_input": "one-hot",
    "gan.latent_size": 256,
    "losses": Settings().losses.model_dump(),
    "optimizer": {
        **Settings().optimizer.model_dump(),
        "generator_rate": 0.0016,
        "discriminator_rate": 0.0016,
        "ema_decay": 0.98,
    },
}
"""Overrides by which a preset takes the paper's step: what departs from it has tests of its own."""


@pytest.fixture(scope="session")
def small_settings() -> Settings:
    """The tiny preset shrunk to seconds, with the paper's step."""
    return Settings.preset("tiny", **SMALL).replace(**PAPERS_STEP)


@pytest.fixture(scope="session")
def small_data(small_settings, tmp_path_factory):
    """A built data set of six notes and their twins."""
    from reverbsynth.data.build import build_data

    return build_data(small_settings, tmp_path_factory.mktemp("small") / "data")


@pytest.fixture(scope="session")
def small_run(small_settings, small_data, tmp_path_factory):
    """A finished run of stages 0 to 2."""
    from reverbsynth.training.train import train

    return train(small_settings, small_data, tmp_path_factory.mktemp("small") / "run")


@pytest.fixture(scope="session")
def forks():
    """Commands in processes of their own that need not import TensorFlow first."""
    opened = Forks()
    yield opened
    opened.close()


_SLOWEST = ("test_killed", "test_evaluate", "test_classifier", "test_build", "test_benchmarks")
"""Beginnings of modules' names; besides them the modules of trainings."""


def pytest_collection_modifyitems(config, items) -> None:
    """Mark what trains a network as slow, and begin with the slowest, so that workers end together.

    Under JAX, tests that are of TensorFlow alone are left out.
    """
    no_browser = pytest.mark.skip("needs a browser: apt-get install chromium")
    under_jax = os.environ.get("KERAS_BACKEND") == "jax"
    kept, left = [], []
    for item in items:
        if "small_run" in item.fixturenames:
            item.add_marker("slow")
        if item.get_closest_marker("browser") and chromium.find() is None:
            item.add_marker(no_browser)
        both = item.get_closest_marker("both_backends")
        if item.path.parent.name in ("spectra", "gan"):
            both = not item.get_closest_marker("one_backend")
        (kept if both or not under_jax else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
    items[:] = sorted(
        kept,
        key=lambda item: (
            item.path.parent.name != "training" and not item.path.name.startswith(_SLOWEST)
        ),
    )


def pytest_sessionfinish(session, exitstatus) -> None:
    """In continuous integration a skipped test is a failure: everything it needs is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
