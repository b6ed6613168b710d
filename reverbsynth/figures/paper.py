"""Tables 1, 2 and 5 of the paper, from the data set and the settings at hand."""

import numpy as np
import pandas as pd

from reverbsynth.data import DataSet
from reverbsynth.data.tfrecord import decode, read
from reverbsynth.gan.stages import stage_resolution
from reverbsynth.settings import Settings

STATED = {
    "data_type": "mel",
    "total images": "11,000,000",
    "images of a stable stage": "800,000",
    "images of a transition": "10,000",
    "batch": "64",
    "latent vector": "256",
    "kernel": "3",
    "first resolution": "2×16",
    "optimizer": "Adam",
    "learning rate": "0.0008",
    "auxiliary classifier's weight": "10",
}
"""Table 5 as the paper prints it."""

_OWN = ("audio", "pitch")
_MEANING = {
    "audio": "samples in [-1, 1] at 16 kHz",
    "pitch": "MIDI pitch",
    "velocity": "MIDI velocity",
    "id": "name of the clip",
    "origin": "source note, shared by its twins",
    "instrument": "what plays it",
    "effect": "dry, or what was done to it",
}


def record_table(data: DataSet) -> pd.DataFrame:
    """The features of a record, read off the first one of the training split."""
    _, payload = next(read(data.path("train")))
    rows = {}
    for name, value in sorted(
        decode(payload).items(), key=lambda item: (item[0] not in _OWN, item[0])
    ):
        first = value[0]
        kind = {np.float32: "float", int: "int64"}.get(type(first), "bytes")
        several = len(value) > 1
        shown = f"{value.min():.3f} … {value.max():.3f}" if several else first
        rows[name] = {
            "type": f"{kind} ({len(value):,})" if several else kind,
            "holds": _MEANING.get(name, ""),
            "in the paper": "yes" if name in _OWN else "no",
            "first clip": shown.decode() if isinstance(shown, bytes) else str(shown),
        }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "feature"
    return frame


def parameter_table(settings: Settings) -> pd.DataFrame:
    """Table 5 as printed, as the preset `paper` has it, and as these settings do."""
    frame = pd.DataFrame(
        {
            "Table 5": STATED,
            "preset paper": _parameters(Settings.preset("paper")),
            f"this book ({settings.name})": _parameters(settings),
        }
    )
    frame.index.name = "parameter"
    return frame


def _parameters(settings: Settings) -> dict[str, str]:
    training, optimizer, losses = settings.training, settings.optimizer, settings.losses
    by_clock = training.stage_minutes is not None
    frames, bins = stage_resolution(0)
    values = (
        settings.spectra.representation,
        "by the clock" if by_clock else f"{training.total_images:,}",
        "by the clock" if by_clock else f"{training.stable_images:,}",
        "by the clock" if by_clock else f"{training.transition_images:,}",
        str(training.batch),
        str(settings.gan.latent_size),
        str(settings.gan.kernel_size),
        f"{frames}×{bins}",
        f"Adam ({optimizer.beta_1:g}, {optimizer.beta_2:g})",
        _both(optimizer.generator_rate, optimizer.discriminator_rate),
        _both(losses.generator_label, losses.discriminator_label),
    )
    return dict(zip(STATED, values, strict=True))


def _both(generator: float, discriminator: float) -> str:
    """One number where both networks have the same."""
    if generator == discriminator:
        return f"{generator:g}"
    return f"{generator:g} (generator), {discriminator:g} (discriminator)"
