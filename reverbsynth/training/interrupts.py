"""SIGINT and SIGTERM as a request to stop in good order."""

import signal
import threading
from types import FrameType
from typing import Any


class StopRequest:
    """A context in which SIGINT and SIGTERM only note that the process should stop.

    A second SIGINT means now: the signal has its earlier meaning again. Outside the main thread,
    where Python delivers no signals, nothing is ever requested.

    Attributes
    ----------
    requested : bool
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
        self.requested = True
