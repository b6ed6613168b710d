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

_PAPER_STAGE = 8


def network_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows of ``Generator.table()`` or ``Discriminator.table()`` as a table, with their total."""
    frame = pd.DataFrame(rows, columns=["block", "layer", "output", "parameters"])
    frame["output"] = [" × ".join(f"{size:,}" for size in row.output) for row in rows]
    frame.loc[len(frame)] = ["", "total", "", frame["parameters"].sum()]
    return frame


def network_sizes(sizes: Mapping[str, tuple[GanSettings, int]]) -> pd.DataFrame:
    """Parameters of networks by name, after the paper's last stage and after the very last."""
    rows = [
        (name, stage, *_counts(*network, stage))
        for name, network in sizes.items()
        for stage in (_PAPER_STAGE, LAST_STAGE)
    ]
    return pd.DataFrame(rows, columns=["configuration", "stage", "generator", "discriminator"])


@style()
def parameters_by_stage(settings: GanSettings, pitches: int) -> Figure:
    """Trainable parameters of both networks at each stable stage, counted on live models."""
    figure, axes = canvas(1, 1, 2.5)
    ax = axes[0, 0]
    stages = range(0, LAST_STAGE + 1, 2)
    networks = {"generator": (-0.4, ""), "discriminator": (0.4, "///")}
    for stage in stages:
        counts = _counts(settings, pitches, stage)
        for count, (side, hatch) in zip(counts, networks.values(), strict=True):
            look = {"color": stage_color(stage), "hatch": hatch, "edgecolor": "white"}
            ax.bar(stage + side, count, width=0.75, **look)
    ax.set(xlabel="stage", ylabel="parameters", xticks=stages)
    ax.yaxis.set_major_formatter(EngFormatter(sep=" "))
    handles = [
        Patch(facecolor="#999999", hatch=hatch, edgecolor="white", label=name)
        for name, (_, hatch) in networks.items()
    ]
    ax.legend(handles=handles, loc="upper left")
    return figure


def _counts(gan: GanSettings, pitches: int, stage: int) -> tuple[int, int]:
    """Parameters of generator and discriminator, with pitch as the only label."""
    representation = Representation(SpectraSettings())
    discriminator = Discriminator(gan, {"pitch": pitches}, representation, stage)
    return Generator(gan, pitches, stage).parameters(), discriminator.parameters()
