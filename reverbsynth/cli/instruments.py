"""``reverbsynth instruments``: those that come with the package."""

from typer import echo


def instruments() -> None:
    """List the instruments that come with the package; play them by name."""
    from reverbsynth.instrument.card import plays
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.instrument.shipped import shipped

    for name, path in shipped().items():
        echo("\n".join([f"{name}: {path}", *plays(Instrument.load(path))]))
