"""The two networks as tables."""

from reverbsynth.book.chapters import networks
from reverbsynth.settings import GanSettings


def test_network_table_adds_a_total():
    from reverbsynth.gan.networks import Generator

    generator = Generator(GanSettings(filters_max=2, latent_size=3), 4, stage=2)
    frame = networks.network_table(generator.table())
    assert frame["parameters"].iloc[-1] == generator.parameters()
    assert frame["parameters"].iloc[:-1].sum() == generator.parameters()
