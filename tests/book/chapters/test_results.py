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


def test_cost_is_hours_times_cores(run):
    run.manifest.update(cores=2, wall_seconds=1800.0, device="cpu:0", devices=1)
    facts = results.resources(run).set_index("")[" "]
    assert facts["training"] == "0.50 hours, 1.00 core-hours"
    assert facts["cost"].startswith(f"{results.CORE_HOUR:.2f} US dollars")
    run.manifest["device"] = "gpu:0"
    assert "not known" in results.resources(run).set_index("")[" "]["cost"]
