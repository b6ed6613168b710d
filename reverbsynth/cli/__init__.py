"""The command line: ``reverbsynth data``, ``train``, ``play``, ``evaluate``, ``book`` and more."""

import os
import sys

import typer

from reverbsynth.cli.apply import apply
from reverbsynth.cli.book import book
from reverbsynth.cli.bundle import bundle
from reverbsynth.cli.data import data
from reverbsynth.cli.download import download
from reverbsynth.cli.evaluate import evaluate
from reverbsynth.cli.export import export
from reverbsynth.cli.import_original import import_original
from reverbsynth.cli.pdf import pdf
from reverbsynth.cli.play import play
from reverbsynth.cli.train import train
from reverbsynth.errors import ReverbSynthError

app = typer.Typer(
    help="ReverbSynth: a progressive GAN over IF-Mel spectrograms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_COMMANDS = (data, download, train, play, apply, evaluate, export, import_original, bundle)
for _command in (*_COMMANDS, book, pdf):
    app.command()(_command)


def main() -> None:
    """Run a command; a user's mistake becomes one line and exit status 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        app()
    except ReverbSynthError as error:
        sys.stderr.write(f"reverbsynth: {error}\n")
        sys.exit(2)
