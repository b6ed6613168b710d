"""Chapter 3: the architecture of both networks, as tables and a figure."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from reverbsynth.book.style import canvas, stage_color, style
from reverbsynth.gan.networks import Discriminator, Generator, Row
from reverbsynth.gan.schedule import LAST_STAGE
from reverbsynth.settings import GanSettings, SpectraSettings
from reverbsynth.spectra.representation import Representation


@style()
def parameters_by_stage(settings: GanSettings, pitches: int) -> Figure:
    """Trainable parameters of both networks at each stage, counted on live models."""
    figure, axes = canvas(1, 1, 2.5)
    ax = axes[0, 0]
    representation = Representation(SpectraSettings())
    for stage in range(0, LAST_STAGE + 1, 2):
        counts = (
            Generator(settings, pitches, stage).parameters(),
            Discriminator(settings, {"pitch": pitches}, representation, stage).parameters(),
        )
        for count, side, hatch in zip(counts, (-0.4, 0.4), ("", "///"), strict=True):
            ax.bar(
                stage + side,
                count,
                width=0.75,
                color=stage_color(stage),
                hatch=hatch,
                edgecolor="white",
            )
    ax.set_xticks(range(0, LAST_STAGE + 1, 2))
    ax.set(xlabel="stage", ylabel="parameters")
    ax.yaxis.set_major_formatter(EngFormatter(sep=" "))
    handles = [
        Patch(facecolor="#999999", hatch=hatch, edgecolor="white", label=label)
        for hatch, label in (("", "generator"), ("///", "discriminator"))
    ]
    ax.legend(handles=handles, loc="upper left")
    return figure


def network_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows of ``Generator.table()`` or ``Discriminator.table()`` as a table."""
    frame = pd.DataFrame(
        {
            "block": [row.block for row in rows],
            "layer": [row.layer for row in rows],
            "output": [" × ".join(f"{size:,}" for size in row.output) for row in rows],
            "parameters": [row.parameters for row in rows],
        }
    )
    total = pd.DataFrame(
        {"block": [""], "layer": ["total"], "output": [""], "parameters": [sum(frame.parameters)]}
    )
    return pd.concat([frame, total], ignore_index=True)


def network_sizes(sizes: Mapping[str, tuple[GanSettings, int]]) -> pd.DataFrame:
    """Parameters of both networks after the paper's last stage and after the very last.

    Parameters
    ----------
    sizes : dict
        By name, the networks' settings and the number of pitches.
    """
    representation = Representation(SpectraSettings())
    rows = [
        {
            "configuration": name,
            "stage": stage,
            "generator": Generator(gan, pitches, stage).parameters(),
            "discriminator": Discriminator(
                gan, {"pitch": pitches}, representation, stage
            ).parameters(),
        }
        for name, (gan, pitches) in sizes.items()
        for stage in (8, 12)
    ]
    return pd.DataFrame(rows)
