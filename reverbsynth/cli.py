"""The command line: ``reverbsynth data | train | play | evaluate | book | …``."""

import sys

import typer

from reverbsynth.commands.book import book
from reverbsynth.commands.train import train
from reverbsynth.errors import ReverbSynthError

app = typer.Typer(
    help="ReverbSynth: a progressive GAN over IF-Mel spectrograms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(train)
app.command()(book)


def main() -> None:
    """Run a command; a user's mistake becomes one line and exit status 2."""
    try:
        app()
    except ReverbSynthError as error:
        sys.stderr.write(f"reverbsynth: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
