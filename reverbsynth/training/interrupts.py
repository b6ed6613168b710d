"""SIGINT and SIGTERM as a request to stop in good order."""

import signal
import threading


class StopRequest:
    """As a context manager, notes that the process was asked to stop, and lets it go on.

    A second SIGINT means now: it has its earlier meaning again. Outside the main thread, where
    Python delivers no signals, nothing is ever asked.

    Attributes
    ----------
    asked : bool
    """

    def __init__(self):
        self.asked = False
        self._earlier: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._earlier[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _ask(self, number, frame):
        if self.asked and number == signal.SIGINT:
            signal.signal(number, self._earlier[number])
            signal.raise_signal(number)
        self.asked = True
