"""What an evaluation found: measures, verdicts, and what figures are drawn from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.stored import StoredResult
from reverbsynth.instrument.instrument import Instrument

FILE = "evaluation.json"
"""Name of a run's report in its directory."""

NOTE_SETS = ("real", "ceiling", "generated")
"""The sets of notes that a metric is measured of, as `Row` names them."""

_TABLE = {
    "NDB": "distribution.ndb",
    "FID": "distribution.fid",
    "IS": "distribution.inception",
    "pitch accuracy (%)": "pitch.accuracy",
    "pitch entropy": "pitch.entropy",
    "kernel distance": "distribution.kernel",
}


@dataclass(frozen=True)
class Row:
    """One metric, with a key such as ``pitch.accuracy``, measured of three sets of notes.

    They are held-out real notes, the same through an image of the stage's resolution and back
    (``ceiling``), and generated notes. A measure whose unit is ``%`` is a share between 0 and 1.
    """

    key: str
    group: str
    name: str
    unit: str
    digits: int
    real: Measure
    ceiling: Measure
    generated: Measure

    @property
    def title(self) -> str:
        """Name and unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def text(self, note_set: str) -> str:
        """Return a table's cell for ``real``, ``ceiling`` or ``generated``."""
        return self.cell(getattr(self, note_set))

    def cell(self, measure: Measure) -> str:
        """Return a measure as text with this row's digits and unit."""
        return measure.text(self.digits, 100 if self.unit == "%" else 1)


@dataclass(frozen=True)
class Verdict:
    """What became of one claim: the rule that the settings stated, and what was measured.

    ``missed`` holds those parts of the rule that were not met.
    """

    key: str
    claim: str
    source: str
    verdict: str
    rule: str
    evidence: str
    missed: list[str] = field(default_factory=list)


@dataclass
class Report(StoredResult):
    """All that an evaluation found. `reverbsynth.evaluation.evaluate.evaluate` makes it.

    For figures: ``curves``, by set of notes and effect, quartiles over notes of the level around
    the release; ``values``, by measure and set, of each note (None where it has none); ``asked``,
    the requested labels of the generated notes; ``pairs``, those nearest to a training note;
    ``twins``, by set, effect and measure, of notes that are there in every effect; ``dial``, by set
    and effect, tail-to-sustain ratios over the dial in dB, a row for each note.
    """

    rows: list[Row] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    curves: dict[str, dict] = field(default_factory=dict)
    values: dict[str, dict] = field(default_factory=dict)
    asked: dict[str, list] = field(default_factory=dict)
    pairs: list[dict] = field(default_factory=list)
    twins: dict[str, dict] = field(default_factory=dict)
    dial: dict[str, dict] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Row:
        """Return the metric called ``key``."""
        return {row.key: row for row in self.rows}[key]

    def __contains__(self, key: str) -> bool:
        return any(row.key == key for row in self.rows)

    def table(self) -> pd.DataFrame:
        """Return what GANSynth's Table 1 measures, and the kernel distance.

        Every cell is text: a number with its interval, or why there is none.
        """
        names = ["real notes", f"real through {self.facts['representation']}", "generated"]
        cells = {column: list(map(self[key].text, NOTE_SETS)) for column, key in _TABLE.items()}
        return pd.DataFrame(cells, pd.Index(names, name="notes"))

    def measures(self, group: str | None = None) -> pd.DataFrame:
        """Return all measures, or a group's: a row for each metric, a column for each set."""
        rows = [row for row in self.rows if group in (None, row.group)]
        frame = pd.DataFrame(
            [[row.group, row.title, *map(row.text, NOTE_SETS)] for row in rows],
            columns=["group", "measure", "real", "through an image", "generated"],
        ).set_index(["group", "measure"])
        return frame if group is None else frame.droplevel("group")

    def claims(self) -> pd.DataFrame:
        """Return the verdicts, one row each."""
        frame = pd.DataFrame([asdict(verdict) for verdict in self.verdicts])
        return frame.set_index("claim")[["verdict", "evidence", "rule", "source"]]

    def text(self) -> str:
        """Return what a musician asks first, the measures and the verdicts, for a terminal."""
        parts = [
            f"{group}\n{self.measures(group).to_string(justify='left')}"
            for group in dict.fromkeys(row.group for row in self.rows)
        ]
        parts += [
            f"{verdict.verdict.upper()}: {verdict.claim}\n  {verdict.evidence}\n  ({verdict.rule})"
            for verdict in self.verdicts
        ]
        return "\n\n".join(part for part in (self.in_tune(), *parts) if part)

    def in_tune(self) -> str:
        """Return how many keys are in tune, in a sentence; empty where that was not counted."""
        counts = self.facts.get("keys_in_tune", {})
        parts = [f"{near} of {total} {keys}" for keys, (near, total) in counts.items() if total]
        return f"In tune within 50 cents, a note each: {' and '.join(parts)}." if parts else ""

    def examples(self, effect: str, count: int = 2) -> list[int]:
        """Return the indices of the first generated notes of an effect, requested or predicted."""
        indices, effects = (self.values[name]["generated"] for name in ("place", "effect"))
        pairs = zip(indices, effects, strict=True)
        return [int(index) for index, of_note in pairs if of_note == effect][:count]

    def play(self, instrument: Instrument, indices: Sequence[int]) -> np.ndarray:
        """Generate some of the evaluated notes again, float32 [shape=(n, 64000)].

        ``instrument`` is the one that was evaluated; ``indices`` count its generated notes.
        """
        latents = instrument.latents(self.facts["notes"]["generated"], self.facts["seed"])
        labels: dict[str, Any] = {
            name: [values[i] for i in indices] for name, values in self.asked.items()
        }
        return instrument.notes(labels.pop("pitch"), z=latents[list(indices)], **labels)
