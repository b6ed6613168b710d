"""What a user's own mistake raises."""


class ReverbSynthError(Exception):
    """A mistake in what was asked or given, told in one line.

    The message names the file or setting, the value found and what was expected. The command
    line prints it and exits with status 2; it never becomes a traceback there. What is not
    printable in it (a line break in a file's name) is escaped.
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


def printable(text: str) -> str:
    """``text`` with line breaks and other characters that are not printable escaped."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode()
        for one in text
    )
