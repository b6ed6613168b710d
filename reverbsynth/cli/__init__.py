"""The command line: ``reverbsynth data``, ``train``, ``play``, ``evaluate``, ``book`` and more."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from types import FrameType
from typing import NoReturn

import typer

from reverbsynth.cli.apply import apply
from reverbsynth.cli.book import book, pdf
from reverbsynth.cli.bundle import bundle
from reverbsynth.cli.data import data
from reverbsynth.cli.download import download
from reverbsynth.cli.evaluate import evaluate
from reverbsynth.cli.export import export
from reverbsynth.cli.import_original import import_original
from reverbsynth.cli.play import instruments, play
from reverbsynth.cli.reproduce import reproduce
from reverbsynth.cli.train import train
from reverbsynth.errors import ReverbSynthError

app = typer.Typer(
    help="ReverbSynth: a progressive GAN over IF-Mel spectrograms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
EXAMPLES: dict[Callable[..., None], str] = {
    data: "reverbsynth data sounds --preset tiny --set data.effects='[{kind: dry}]'",
    download: "reverbsynth download nsynth --split valid",
    train: "reverbsynth train run --data data",
    play: "reverbsynth play laptop --pitch 40 --effect reverb -o note.wav",
    instruments: "reverbsynth instruments",
    apply: "reverbsynth apply run note.wav --effect reverb -o wet.wav",
    evaluate: "reverbsynth evaluate run --output report.json",
    export: "reverbsynth export run -o bass.onnx",
    import_original: "reverbsynth import-original gansynth/acoustic_only -o gansynth.safetensors",
    reproduce: "reverbsynth reproduce run",
    bundle: "reverbsynth bundle run results/night",
    book: "reverbsynth book --run results/night",
    pdf: "reverbsynth pdf --output _build",
}
"""Each command, with an example that its help shows."""

_EXTRAS = {
    "train": {"keras", "matplotlib", "pandas", "sklearn", "tensorboard", "tensorflow"},
    "book": {"IPython", "jupyter_book", "nbformat", "papermill"},
}
"""Modules that come with the extras of ``pyproject.toml``."""

for _command, _example in EXAMPLES.items():
    app.command(epilog=f"Example: {_example}")(_command)


_asked: list[int] = []
"""Signals that asked the command to end."""


def main() -> None:
    """Run a command; a user's mistake becomes one line and exit status 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    backend = f"KERAS_BACKEND: found {os.environ['KERAS_BACKEND']!r}"
    _asked.clear()
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    sys.unraisablehook = partial(_interrupt_again, sys.unraisablehook)
    try:
        app()
    except ReverbSynthError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name in ("jax", "tensorflow", "torch") and find_spec("keras"):
            _fail(f"{backend}, which is not installed")
        for extra, modules in _EXTRAS.items():
            if name in modules:
                _fail(f"{name}: not installed; pip install 'reverbsynth[{extra}]' adds it")
        raise
    except OSError as error:  # of what no one foresaw, such as a log on a full disk
        _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        if _asked:  # C code that was called back made another exception of the signal's
            sys.exit(128 + _asked[0])
        if str(error).startswith("Unable to import backend"):
            _fail(f"{backend}, expected tensorflow or jax")
        if not str(error).startswith("cannot cache function"):
            raise
        _fail(f"{error}; expected NUMBA_CACHE_DIR, a folder that can be written")


def _stop(number: int, frame: FrameType | None) -> None:
    """Raise, so that temporary files are removed; a training takes it as a request to stop."""
    _asked.append(number)
    while frame and frame.f_code is not _interrupt_again.__code__:
        frame = frame.f_back
    if frame:  # Python would drop what is raised while it reports that it dropped something.
        _send_again(number)
    else:
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def _interrupt_again(
    report: "Callable[[sys.UnraisableHookArgs], object]", dropped: "sys.UnraisableHookArgs"
) -> None:
    """Send a signal again whose exception was dropped, as in a garbage collector's callback."""
    number = {KeyboardInterrupt: signal.SIGINT, SystemExit: signal.SIGTERM}.get(dropped.exc_type)
    if number is None:
        report(dropped)
    else:
        _send_again(number)


def _send_again(number: int) -> None:
    """Send a signal until it is heard: one that comes just before a call that waits ends none."""
    heard = len(_asked)

    def send() -> None:
        waits = True
        while waits:
            os.kill(os.getpid(), number)
            time.sleep(1)
            waits = len(_asked) == heard and signal.getsignal(number) is _stop

    timer = threading.Timer(0.1, send)
    timer.daemon = True
    timer.start()


def _fail(line: str) -> NoReturn:
    with suppress(OSError):
        sys.stderr.write(f"reverbsynth: {line}\n")
    sys.exit(2)
