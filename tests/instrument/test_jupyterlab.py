"""The notebook panel in a real JupyterLab, in headless Chromium."""

import base64
import io
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import nbformat
import numpy as np
import pytest
import soundfile

from reverbsynth.instrument.instrument import at_peak
from tests import chromium
from tests.instruments import untrained

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
CELL = """\
from reverbsynth.instrument.widgets import panel
panel("bass.safetensors")
"""


@pytest.fixture
def lab(tmp_path):
    """The address of a notebook in a JupyterLab of its own, with an instrument beside it."""
    labels = {"pitch": range(40, 45), "effect": ["dry", "reverb"]}
    instrument = untrained(labels, 4, filters_base=64, filters_max=8)
    instrument.save(tmp_path / "bass.safetensors")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL, id="panel")])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / "play.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, home = secrets.token_hex(16), str(tmp_path / "home")
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    surroundings = {
        **os.environ,
        **dict.fromkeys(names, home),
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += ["--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={token}", str(tmp_path)]
    server = subprocess.Popen(
        command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(f"http://127.0.0.1:{port}/api?token={token}", server)
        address = f"http://127.0.0.1:{port}/lab/tree/play.ipynb?token={token}"
        yield address, tmp_path, instrument
    finally:
        # Its kernels end with it when it is asked politely.
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
        server.kill()
        server.wait()


def _wait(address: str, server: subprocess.Popen) -> None:
    end = time.monotonic() + 120
    while True:
        with suppress(OSError), urllib.request.urlopen(address):
            return
        assert server.poll() is None, "JupyterLab ended"
        assert time.monotonic() < end, "JupyterLab did not start"
        time.sleep(0.5)


def heard(page) -> np.ndarray:
    """What the panel's player was given."""
    text = page.evaluate(
        "fetch(document.querySelector('.jp-OutputArea audio').src).then((r) => r.arrayBuffer())"
        ".then((b) => btoa(Array.from(new Uint8Array(b), (c) => String.fromCharCode(c)).join('')))"
    )
    return soundfile.read(io.BytesIO(base64.b64decode(text)))[0]


def field(name: str) -> str:
    """The input of a labelled control."""
    return (
        "[...document.querySelectorAll('.jp-OutputArea .widget-label')]"
        f".find((l) => l.textContent === {json.dumps(name)}).parentElement.querySelector('input')"
    )


def test_the_panel_plays_and_saves_in_jupyterlab(lab, tmp_path_factory):
    address, folder, instrument = lab
    with chromium.Page(tmp_path_factory.mktemp("profile"), "--window-size=1280,1000") as page:
        page.open(address)
        page.wait_for("document.querySelector('.jp-Notebook .jp-CodeCell .cm-content')", 120)
        # Before its kernel is there a notebook asks which one to start.
        page.wait_for("document.body.innerText.includes('Python 3 (ipykernel)')", 180)
        page.wait_for("document.querySelector('[data-status=idle]')", 180)
        page.evaluate("document.querySelector('.jp-Notebook .jp-CodeCell .cm-content').focus()")
        page.press("Enter", "Enter", shift=True)
        page.wait_for("document.querySelector('.jp-OutputArea audio')?.src", 180)

        def plays(seed, pitch):
            wave = instrument.notes([pitch], seed=seed)[0]
            return np.abs(heard(page) - at_peak(wave, 0.9)).max() < 1e-3

        def wait_for_another(before):
            player = "document.querySelector('.jp-OutputArea audio')"
            page.wait_for(f"{player}.src !== {json.dumps(before)}")
            return page.evaluate(f"{player}.src")

        middle = instrument.middle_pitch
        assert plays(0, middle)
        page.wait_for("document.querySelector('.jp-OutputArea img')?.naturalWidth === 648")
        before = page.evaluate("document.querySelector('.jp-OutputArea audio').src")
        page.evaluate(
            f"(() => {{ const input = {field('Timbre A')}; input.value = 7;"
            "for (const kind of ['input', 'change', 'blur'])"
            "input.dispatchEvent(new Event(kind, { bubbles: true })); })()"
        )
        before = wait_for_another(before)
        assert plays(7, middle)
        page.evaluate("document.querySelector('.jp-OutputArea .noUi-handle').focus()")
        page.press("ArrowRight", "ArrowRight")
        wait_for_another(before)
        assert plays(7, middle + 1)
        button = "[...document.querySelectorAll('.jp-OutputArea button')]"
        page.evaluate(f"{button}.find((b) => b.textContent.trim() === 'Save').click()")
        page.wait_for("/saved note.wav/.test(document.querySelector('.jp-OutputArea').textContent)")
    saved, rate = soundfile.read(folder / "note.wav")
    assert rate == 16_000
    wave = instrument.notes([middle + 1], seed=7)[0]
    assert np.abs(saved - at_peak(wave, 0.9)).max() < 1e-3
