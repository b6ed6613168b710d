"""``reverbsynth reproduce``."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option, echo

from reverbsynth.errors import RunError


def reproduce(
    run: Annotated[
        Path | None,
        Argument(help="A run of yours; by default the published instrument is measured anew."),
    ] = None,
    against: Annotated[
        Path | None, Option(help="Results with the expected values; the shipped by default.")
    ] = None,
    data: Annotated[
        Path | None, Option(help="Data set; by default the run's, or one that is built anew.")
    ] = None,
) -> None:
    """Compare a run with the published one: expected values, tolerances, and what was found.

    Without a run, the published data set is built and the published instrument measured on it, in
    minutes. The exit status is 1 where a value is beyond its tolerance.
    """
    from reverbsynth.book.workspace import shipped, workspace
    from reverbsynth.evaluation.evaluate import evaluate, kept_report
    from reverbsynth.evaluation.reproduction import compare
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.training.run import Run

    if (results := against or shipped()) is None:
        raise RunError("no results come with an installed package, expected --against RESULTS")
    published = workspace(run=results)
    expected = kept_report(published.run)
    own = None if run is None else Run.open(run)
    kept = own.data_directory if own and not own.bundled else None
    source = data or kept or published.data
    limits = published.settings.evaluation.model_dump(mode="json")
    settings = (own or published).settings.replace(evaluation=limits)
    measured: Run | Instrument | None = own
    with suppress(RunError):  # A report that was made with other settings keeps its place.
        if own and kept_report(own).facts["settings"] != limits:
            measured = Instrument.from_run(own)
    found = evaluate(measured or Instrument.from_run(published.run), source, settings)
    same = found.facts["data_sha256"] == expected.facts["data_sha256"]
    echo(f"the data set is {'the published one' if same else 'NOT the published one'}")
    rows = compare(expected, found)
    echo(rows.to_string(formatters={"within": {True: "yes", False: "NO"}.get}))
    beyond = int((~rows["within"].astype(bool)).sum())
    echo(f"{len(rows) - beyond} of {len(rows)} values are within their tolerances")
    raise Exit(1 if beyond else 0)
