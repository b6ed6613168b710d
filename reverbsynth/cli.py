"""The command line: ``reverbsynth data | train | play | evaluate | book | …``."""

import os
import sys

import typer

from reverbsynth.commands.apply import apply
from reverbsynth.commands.book import book, pdf
from reverbsynth.commands.bundle import bundle
from reverbsynth.commands.data import data, download
from reverbsynth.commands.evaluate import evaluate
from reverbsynth.commands.play import export, import_original, play
from reverbsynth.commands.train import train
from reverbsynth.errors import ReverbSynthError

app = typer.Typer(
    help="ReverbSynth: a progressive GAN over IF-Mel spectrograms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    data,
    download,
    train,
    play,
    apply,
    evaluate,
    export,
    import_original,
    bundle,
    book,
    pdf,
):
    app.command()(command)


def main() -> None:
    """Run a command; a user's mistake becomes one line and exit status 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        app()
    except ReverbSynthError as error:
        sys.stderr.write(f"reverbsynth: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
