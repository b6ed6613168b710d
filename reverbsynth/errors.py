"""The errors that a user's own mistakes raise, all of them `ReverbSynthError`."""

import difflib
from collections.abc import Iterable


class ReverbSynthError(Exception):
    """A mistake in a request or in its input, described in one line.

    The message names the file or setting, the value found and what was expected. The command
    line prints it and exits with status 2, without a traceback. Characters that are not printable
    (a line break in a file's name) are escaped.
    """

    def __init__(self, message: str):
        super().__init__(printable(message))


class SettingsError(ReverbSynthError):
    """A setting, option or argument that is unknown, of the wrong kind or out of range."""


class DataError(ReverbSynthError):
    """A source of notes, a data set or a sound that is missing, damaged or of another kind."""


class RunError(ReverbSynthError):
    """A run, bundle or instrument that is missing, damaged or not the one expected."""


class DivergedError(ReverbSynthError):
    """A training whose loss is no longer finite."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The ending of a message that names the closest of the ``known`` names, if one is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def printable(text: str) -> str:
    """``text`` with line breaks and other characters that are not printable escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )
