"""``reverbsynth instruments``: those that come with the package."""

import typer


def instruments() -> None:
    """List the instruments that come with the package; play them by name."""
    from reverbsynth.audio.pitch import pitch_name
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.instrument.shipped import shipped

    for name, path in shipped().items():
        instrument = Instrument.load(path)
        keys = f"{pitch_name(instrument.keys[0])} to {pitch_name(instrument.keys[-1])}"
        others = [
            f"{label}: {', '.join(map(str, values))}"
            for label, values in instrument.labels.items()
            if label != "pitch"
        ]
        typer.echo("; ".join([f"{name}: {keys}", *others, str(path)]))
