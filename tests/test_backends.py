"""What is imported, and that the other backend passes the same tests."""

import os
import subprocess
import sys

import keras
import pytest


def python(code: str, backend: str) -> str:
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_jax_imports_no_tensorflow():
    code = (
        "import sys, reverbsynth.gan, reverbsynth.training, reverbsynth.instrument;"
        "print('tensorflow' in sys.modules)"
    )
    assert python(code, "jax") == "False"


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the JAX process")
def test_the_same_tests_pass_under_jax(request):
    root = request.config.rootpath
    training = "tests/test_training.py"
    folders = [
        "tests/spectra",
        "tests/gan",
        "tests/test_instrument.py",
        f"{training}::test_until_stage_stops_there_and_goes_on",
        f"{training}::test_instrument_of_a_run_sounds",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *folders],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        cwd=root,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout, done.stdout[-3000:]
