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
        "import sys, reverbsynth.training.train, reverbsynth.instrument.instrument;"
        "print('tensorflow' in sys.modules)"
    )
    assert python(code, "jax") == "False"


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the JAX process")
def test_the_same_tests_pass_under_jax(jax_suite):
    """They began with the session, on the processor that this process leaves idle."""
    process, path = jax_suite
    status = process.wait(timeout=1200)
    output = path.read_text()
    assert status == 0, output[-3000:]
    assert " passed" in output
    assert "skipped" not in output, output[-3000:]
