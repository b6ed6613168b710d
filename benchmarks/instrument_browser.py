"""Download and time of a note in headless Chromium, at the laptop's and the paper's size.

    python benchmarks/instrument_browser.py

Run it from the checkout: it drives Chromium as tests/instrument/test_browser.py does.
"""

import functools
import http.server
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from reverbsynth.instrument.export import write_page
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import Settings
from tests import chromium, instruments

STAGE = 8
NOTES = 8


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def untrained(preset: str) -> Instrument:
    gan = Settings.preset(preset).gan
    values = {"pitch": range(28, 78), "effect": ["dry", "reverb"], "instrument": ["a", "b"]}
    labels = {name: values[name] for name in gan.labels}
    options = gan.model_dump(exclude={"labels"})
    return instruments.untrained(labels, STAGE, **options)


def measure(preset: str, folder: Path) -> None:
    write_page(untrained(preset), folder)
    handler = functools.partial(_Quiet, directory=folder)
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        chromium.Page(Path(profile)) as page,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.open(f"http://127.0.0.1:{server.server_port}/index.html")
        start = page.evaluate(
            "new Promise(async (done) => { const began = performance.now();"
            "await ReverbSynth.keyboards[0].load(); done(performance.now() - began); })"
        )
        times = page.evaluate(
            "(async () => { const k = ReverbSynth.keyboards[0]; const times = [];"
            f"for (let i = 0; i < {NOTES}; i++) {{ const began = performance.now();"
            "const note = [k.conditions.lowest + i, k.network.latent(i), k.controls.chosen()];"
            "await k.network.generate(...note); times.push(performance.now() - began); }"
            "return times; })()"
        )
        megabytes = page.evaluate("ReverbSynth.keyboards[0].manifest.bytes") / 1e6
        server.shutdown()
    print(
        f"{preset}, stage {STAGE}: {megabytes:.1f} MB, ready {start / 1e3:.1f} s after the button, "
        f"first note {times[0]:.0f} ms, then {np.median(times[1:]):.0f} ms (median), "
        f"{max(times):.0f} ms (longest of {NOTES})"
    )


def main() -> None:
    for preset in ("laptop", "paper"):
        with tempfile.TemporaryDirectory() as folder:
            measure(preset, Path(folder))


if __name__ == "__main__":
    main()
