"""An instrument's page, served and opened in headless Chromium."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reverbsynth.instrument.export import write_page
from reverbsynth.instrument.instrument import Instrument
from tests import chromium
from tests.instruments import untrained

PITCHES = list(range(36, 61))
UNTRAINED = 41
KEYBOARD = "ReverbSynth.keyboards[0]"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    # What a bare server knows.
    extensions_map = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}  # noqa: RUF012

    def log_message(self, *_):
        pass


def serve(folder: Path) -> tuple[str, http.server.ThreadingHTTPServer]:
    """The address of a page in a folder, and its server."""
    handler = functools.partial(_Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/index.html", server


def start(page: chromium.Page) -> chromium.Page:
    """Press the page's start button and wait for the network."""
    page.evaluate("document.querySelector('.rs-start').click()")
    page.wait_for(f"{KEYBOARD}.mode !== 'loading'", 120)
    said = page.evaluate("document.querySelector('.rs-status').textContent")
    assert page.evaluate(f"{KEYBOARD}.mode") == "live", (said, page.errors)
    return page


@pytest.fixture(scope="session")
def played() -> Instrument:
    """An untrained instrument of the laptop's size at stage 8, with two effects."""
    labels = {"pitch": PITCHES, "effect": ["dry", "reverb"]}
    trained = [pitch for pitch in PITCHES if pitch != UNTRAINED]
    sizes = {"filters_base": 1024, "filters_max": 64}
    return untrained(labels, 8, seed=1, trained_pitches=trained, **sizes)


@pytest.fixture(scope="session")
def folder(played, tmp_path_factory) -> Path:
    return write_page(played, tmp_path_factory.mktemp("page")).parent


@pytest.fixture(scope="session")
def address(folder) -> Iterator[str]:
    served, server = serve(folder)
    with server:
        yield served
        server.shutdown()


@pytest.fixture(scope="session")
def page(tmp_path_factory) -> Iterator[chromium.Page]:
    with chromium.Page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def unstarted(page, address) -> chromium.Page:
    """The page before its start button is pressed, opened anew."""
    page.requests.clear()
    page.open(address)
    page.wait_for("window.ReverbSynth?.keyboards.length")
    return page


@pytest.fixture(scope="module")
def started(page, address) -> chromium.Page:
    """The page with its network loaded."""
    page.requests.clear()
    page.open(address)
    return start(page)
