"""The two networks as tables."""

import json
import re
from pathlib import Path

from reverbsynth.book.chapters import networks
from reverbsynth.settings import GanSettings

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "03_networks.ipynb"
PAGE = "\n".join("".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text())["cells"])


def test_network_table_adds_a_total():
    from reverbsynth.gan.networks import Generator

    generator = Generator(GanSettings(filters_max=2, latent_size=3), 4, stage=2)
    frame = networks.network_table(generator)
    assert frame["parameters"].iloc[-1] == generator.count_params()
    assert frame["parameters"].iloc[:-1].sum() == generator.count_params()
    by_layer = frame.set_index(["block", "layer"])
    assert by_layer.loc[("1", "conv0"), "kernel"] == "2\u00a0×\u00a016"
    assert by_layer.loc[("2", "conv1"), "nonlinearity"] == "PN(LReLU)"
    assert by_layer.loc[("2", "to_rgb"), "nonlinearity"] == "Tanh"


def test_the_printed_tables_are_the_live_model_s_but_for_what_the_page_says():
    from reverbsynth.gan.networks import Generator
    from reverbsynth.settings import Settings

    printed = re.findall(r"^\| conv2d \| (\(\S+ \S+ \S+\)) \| (\d+) \| (\d+) \|", PAGE, flags=re.M)
    frame = networks.network_table(Generator(Settings.preset("paper").gan, 61, stage=12))
    live = frame[frame["layer"].isin(["conv0", "conv1"])]
    sizes = ["({})".format(size.replace("\u00a0×\u00a0", ", ")) for size in live["output"]]
    kernels = [tuple(kernel.split("\u00a0×\u00a0")) for kernel in live["kernel"]]
    pairs = zip(sizes, kernels, strict=True)
    assert printed[: len(live)] == [(size, *kernel) for size, kernel in pairs]


def test_sizes_are_those_of_the_networks_that_are_trained():
    from reverbsynth.gan.labels import LabelSpace

    labels = LabelSpace({"pitch": [40, 41, 42], "effect": ["dry", "reverb"]})
    small = {"filters_base": 64, "filters_max": 4, "labels": ("pitch", "effect")}
    kinds = ("one-hot", "harmonic")
    gans = {kind: GanSettings(pitch_input=kind, **small) for kind in kinds}
    frame = networks.network_sizes({kind: (gan, labels) for kind, gan in gans.items()})
    by_stage = frame.set_index(["configuration", "stage"])
    assert list(by_stage.loc["one-hot"].index) == [0, 2, 4, 6, 8, 10, 12]
    one_hot, harmonic = (by_stage.loc[kind] for kind in kinds)
    assert (one_hot["discriminator"] == harmonic["discriminator"]).all()
    more = harmonic["generator"] - one_hot["generator"]  # blocks are given the harmonics
    assert more.is_monotonic_increasing
    assert more.iloc[0] < more.iloc[-1]
