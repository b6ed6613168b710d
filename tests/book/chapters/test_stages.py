"""Notes of each stage."""

import re

from reverbsynth.book.chapters.stages import StageFigures, beyond
from reverbsynth.book.players import MEDIA
from reverbsynth.training.run import Run


class TestStageFigures:
    def test_sounds_stand_under_the_magnitudes(self, here, run):
        figures = StageFigures(run, 1)
        shown = [figures.show(n, 1, c).data for n, c in ((1, "magnitude"), (9, "frequency"))]
        names = ["figures-01-1.wav", "figures-01-2.wav"]  # a real note, and the generated one
        for text, expected in zip(shown, (names, []), strict=True):
            assert re.findall(r'src="media/([^"]+wav)"', text) == expected
        assert sorted(path.name for path in MEDIA.glob("*.wav")) == names
        assert "Figures 9 and 10 (paper). Stage 1" in shown[1]
        assert {'id="figure-09"', 'id="figure-10"'} <= set(re.findall(r'id="[^"]+"', shown[1]))

    def test_a_stage_that_a_run_has_not_is_left_out_in_words(self, here, run):
        text = StageFigures(run).show(7, 8, "magnitude").data
        assert "has no stage 8" in text
        assert 'id="figure-07"' in text  # links to it still lead somewhere
        assert 'id="figure-08"' in text

    def test_a_stage_beyond_the_paper_has_no_number(self, here, run):
        text = StageFigures(run, 1).show(None, 1, "magnitude").data
        assert "<strong>Stage 1</strong>, log magnitude" in text
        assert 'id="stage-01-magnitude"' in text

    def test_every_stage_is_a_slide(self, here, run):
        text = StageFigures(run, 2).slider("slider")._repr_html_()
        assert text.count('class="rs-slide"') == len(run.stages)
        assert text.count("<audio") == 2 * 2 * len(run.stages)
        assert 'data-kind="slider" data-what="Stage" data-start="0"' in text
        assert 'data-label="stage 1: blending in 4×32"' in text
        for source in re.findall(r'src="([^"]+)"', text):
            assert (here / source).is_file()


def test_stages_beyond_the_paper_come_from_the_first_run_that_has_them(here, run, monkeypatch):
    assert beyond([run]).data == "<p>No run of this book has gone on yet.</p>"
    samples = Run.samples
    finer = Run(run.directory, run.settings, {**run.manifest, "run": "finer"})
    monkeypatch.setattr(Run, "samples", lambda self, _=None: samples(self, 1))
    monkeypatch.setattr(
        Run, "stages", property(lambda self: [1, 10] if self is run else [1, 10, 12])
    )
    shown = []
    show = StageFigures.show
    monkeypatch.setattr(
        StageFigures,
        "show",
        lambda self, *what: shown.append((self.run, *what[1:])) or show(self, *what),
    )
    text = beyond([run, finer], 1).data
    assert [(one is run, stage) for one, stage, _ in shown] == [(True, 10)] * 2 + [(False, 12)] * 2
    assert re.findall(r'id="(stage-[^"]+)"', text) == [
        f"stage-{stage}-{channel}" for stage in (10, 12) for channel in ("magnitude", "frequency")
    ]
