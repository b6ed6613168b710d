"""The one exception a user's own mistake raises."""


class ReverbSynthError(Exception):
    """A mistake in what was asked or given, told in one line.

    The message names the file or setting, the value found and what was expected. The command
    line prints it and exits with status 2; it never becomes a traceback there. What is not
    printable in it (a line break in a file's name) is escaped.
    """

    def __init__(self, message: str):
        super().__init__(printable(message))


def printable(text: str) -> str:
    """``text`` with line breaks and other characters that are not printable escaped."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode()
        for one in text
    )
