"""All numbers of a run in one place."""

from reverbsynth.book.chapters import results
from reverbsynth.book.workspace import shipped
from reverbsynth.evaluation.evaluate import kept_report
from reverbsynth.evaluation.reproduction import TOLERANCES
from reverbsynth.training.run import Run


def test_every_tolerance_stands_beside_its_measure():
    frame = results.headline(kept_report(Run.open(shipped())))
    assert len(frame) == len(TOLERANCES)
    assert frame.loc["pitch accuracy (%)", "tolerance"] == "± 10"
    assert frame["generated"].str.contains(r"[\[(]").all()
