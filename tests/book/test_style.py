"""One style for every picture."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.book import spectrograms, style
from reverbsynth.book.chapters import dataset, if_mel, losses, training
from reverbsynth.book.style import note_name
from reverbsynth.gan.schedule import Schedule
from reverbsynth.settings import Settings


class TestStyle:
    def test_the_same_thing_has_the_same_colour_everywhere(self):
        effects = ["dry", "reverb", "chorus", "delay"]
        colours = [style.effect_color(effect, effects) for effect in effects]
        assert colours[:2] == [style.DRY, style.WET]
        assert len(set(colours)) == len(effects)
        assert style.effect_color("chorus", list(reversed(effects))) != style.DRY

    def test_neighbouring_stages_are_told_apart(self):
        colours = np.array([style.stage_color(stage)[:3] for stage in range(13)])
        apart = np.abs(colours[:, None] - colours[None]).sum(axis=2) + 9 * np.eye(13)
        assert apart.min() > 0.1
        assert np.diag(apart, 1).min() > 0.5

    def test_drawing_leaves_matplotlib_as_it_was(self):
        import matplotlib as mpl

        before = dict(mpl.rcParams)
        losses.stage_legend(8)
        assert dict(mpl.rcParams) == before

    def test_a_reader_s_matplotlibrc_changes_no_figure(self):
        import matplotlib as mpl

        with mpl.rc_context({"axes.facecolor": "red", "font.family": "monospace"}):
            (ax,) = losses.stage_legend(8).axes
        assert ax.get_facecolor() == (1, 1, 1, 1)
        assert ax.get_legend().get_texts()[0].get_fontfamily() == ["sans-serif"]

    def test_notes_are_named_as_musicians_do(self):
        assert note_name(36) == "C2 (36)"
        assert note_name(69) == "A4 (69)"


def pictures() -> dict[str, Figure]:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 128, 1024, 2)).astype(np.float32)
    waves = {effect: rng.normal(size=NOTE_LENGTH) / 10 for effect in ("dry", "reverb", "echo")}
    metrics = pd.DataFrame({"images": [8, 16, 24], "stage": [0, 0, 1], "loss": [1.0, np.nan, 2.0]})
    index = {"train": [{"pitch": 36}, {"pitch": 38}], "valid": [{"pitch": 36}], "test": []}
    return {
        "magnitude": spectrograms.image_grid({"": images}, ["a", "b"], "mel"),
        "frequency": spectrograms.image_grid({"": images}, ["a", "b"], "linear", "frequency"),
        "unwrapping": if_mel.unwrapping(*rng.normal(size=(3, 128))),
        "mel": if_mel.mel_bands(),
        "pitches": dataset.pitch_counts(index),
        "twins": dataset.note_and_twins(waves),
        "schedule": training.schedule_figure(Schedule.of(Settings().training)),
        "course": training.schedule_figure(Schedule((8, 16, 300), 300)),
        "rows": spectrograms.image_grid({"a": images, "b": images}, ["x", "y"], "mel"),
        "legend": losses.stage_legend(12),
        "curve": losses.curve(metrics, "loss", "loss"),
    }


def test_axes_that_hold_numbers_say_what_they_are():
    for name, figure in pictures().items():
        assert figure.axes, name
        for ax in figure.axes:
            if not ax.axison or not ax.has_data():
                continue
            shared = [other for other in figure.axes if other.get_ylabel()]
            assert shared, f"{name}: no vertical axis has a label"
            assert any(other.get_xlabel() for other in figure.axes) or figure._supxlabel, name
