"""What each backend imports."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.one_backend


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
