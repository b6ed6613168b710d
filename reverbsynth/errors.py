"""The one exception a user's own mistake raises."""


class ReverbSynthError(Exception):
    """A mistake in what was asked or given, told in one line.

    The message names the file or setting, the value found and what was expected. The command
    line prints it and exits with status 2; it never becomes a traceback there.
    """
