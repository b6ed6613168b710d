"""SIGINT and SIGTERM as a request to stop in good order."""

import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

_AGAIN = "Ctrl-C again stops at once, and loses what came after the last checkpoint."


class StopRequest:
    """A context in which SIGINT and SIGTERM only note that the process should stop.

    A line on stderr acknowledges it at once. A second SIGINT means now: the signal has its earlier
    meaning again. Outside the main thread, where Python delivers no signals, nothing is ever
    requested.
    """

    def __init__(self) -> None:
        self.requested = False
        self._earlier: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._earlier[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            signal.signal(number, self._earlier[number])
            signal.raise_signal(number)
        if self.requested:
            return
        self.requested = True
        # The signal may have come while a line was being written, which takes no other.
        with suppress(RuntimeError):
            name = signal.Signals(number).name
            sys.stderr.write(f"\n{name}: stopping after this step, with a checkpoint. {_AGAIN}\n")
            sys.stderr.flush()
