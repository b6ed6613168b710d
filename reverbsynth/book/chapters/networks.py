"""Chapter 3: the architecture of both networks, as tables and a figure."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd

from reverbsynth.book.captions import Captioned
from reverbsynth.book.slides import image_slides, show_slides
from reverbsynth.book.style import note_name
from reverbsynth.book.workspace import Workspace
from reverbsynth.gan.architecture import condition_size
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.networks import Discriminator, Generator
from reverbsynth.gan.schedule import LAST_STAGE, box_factor, resolution
from reverbsynth.settings import GanSettings, SpectraSettings
from reverbsynth.spectra.representation import Representation
from reverbsynth.spectra.scaling import downscale, upscale


def network_table(network: Generator | Discriminator) -> pd.DataFrame:
    """Layers of a network as in the paper's Tables 3 and 4, read off it, with their total."""
    norm, rows = "PN(LReLU)" if isinstance(network, Generator) else "LReLU", []
    for row in network.table:
        layer = network.parts.get(f"block_{row.block}/{row.layer}")
        kernel = () if layer is None else layer.kernel.shape[:2]
        nonlinearity = {"to_rgb": "Tanh"}.get(row.layer, norm) if kernel else ""
        sizes = ["\u00a0×\u00a0".join(map(str, sides)) for sides in (row.output, kernel)]
        rows.append((row.block, row.layer, *sizes, nonlinearity, row.parameters))
    columns = ["block", "layer", "output", "kernel", "nonlinearity", "parameters"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.loc[len(frame)] = ["", "total", "", "", "", frame["parameters"].sum()]
    return frame


def network_sizes(sizes: Mapping[str, tuple[GanSettings, LabelSpace]]) -> pd.DataFrame:
    """Parameters of networks, by name with their labels, at each stable stage."""
    rows, spectra = [], Representation(SpectraSettings())
    for (name, (gan, labels)), stage in product(sizes.items(), range(0, LAST_STAGE + 1, 2)):
        generator = Generator(gan, condition_size(gan, labels), stage, representation=spectra)
        discriminator = Discriminator(gan, labels.sizes, spectra, stage)
        rows.append((name, stage, generator.count_params(), discriminator.count_params()))
    return pd.DataFrame(rows, columns=["configuration", "stage", "generator", "discriminator"])


def blend(workspace: Workspace, name: str, block: int = 5, steps: int = 5) -> Captioned:
    """A slider that blends a block in, as a real note's image at two resolutions is blended."""
    note = next(iter(workspace.twins(1)[0].values()))
    representation = Representation(workspace.settings.spectra)
    image = representation.encode_all(note.audio[None])
    factors = [box_factor(each) for each in (block - 1, block)]
    small, large = (np.asarray(upscale(downscale(image, each), each)) for each in factors)
    mixed = {
        f"α = {weight:g}": ((1 - weight) * small + weight * large).astype(np.float32)
        for weight in np.linspace(0, 1, steps)
    }
    waves = {label: representation.decode_all(part) for label, part in mixed.items()}
    slides = image_slides(mixed, waves, [note_name(note.pitch)], representation.kind)
    sizes = ["{} × {}".format(*resolution(each)) for each in (block - 1, block)]
    caption = f"**A block is blended in**: a real note on the way from {sizes[0]} to {sizes[1]}."
    return show_slides("slider", "Weight", slides, caption, workspace, name)
