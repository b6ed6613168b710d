"""All numbers of a run in one place."""

from reverbsynth.book.chapters import results
from reverbsynth.book.workspace import shipped
from reverbsynth.evaluation.evaluate import kept_report
from reverbsynth.evaluation.reproduction import HEADLINE
from reverbsynth.training.run import Run


def test_every_tolerance_stands_beside_its_measure():
    frame = results.headline_table(kept_report(Run.open(shipped())))
    assert len(frame) == len(HEADLINE)
    assert frame["tolerance"].str.fullmatch(r"± [\d.]+").all()
    assert frame["generated"].str.contains(r"[\[(]").all()


def test_each_published_run_says_what_it_took():
    shown = Run.open(shipped())
    frame = results.published([shown, shown])
    assert list(frame.columns) == ["laptop"]
    told = frame["laptop"]
    assert told["time of one training"].startswith(
        f"{shown.manifest['wall_seconds'] / 60:.0f} minutes"
    )
    assert int(told["seeds of training"].partition(":")[0]) >= 1
    assert told["pitch accuracy (%)"] == kept_report(shown)["pitch.accuracy"].text("generated")
