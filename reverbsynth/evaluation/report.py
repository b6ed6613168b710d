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
NOTE_SETS = ("real", "ceiling", "generated")

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
    """One metric of held-out real notes, the same through an image and back, and generated ones.

    A measure whose unit is ``%`` is a share between 0 and 1.
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
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def text(self, note_set: str) -> str:
        """Return a table's cell for one of `NOTE_SETS`."""
        return self.cell(getattr(self, note_set))

    def cell(self, measure: Measure) -> str:
        """Return a measure as text with this row's digits and unit."""
        return measure.text(self.digits, 100 if self.unit == "%" else 1)


@dataclass(frozen=True)
class Verdict:
    """What became of one claim, by which rule and on what evidence."""

    key: str
    claim: str
    source: str
    verdict: str
    rule: str
    evidence: str


@dataclass
class Report(StoredResult):
    """All that `reverbsynth.evaluation.evaluate.evaluate` found.

    For figures: ``curves``, by set and effect, quartiles of the level around the release; each
    note's ``values``, by measure and set; ``asked``, the generated notes' labels; ``pairs``, those
    nearest to a training note; ``twins``, by set, effect and measure; ``dial``, by set and effect.
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
        return {row.key: row for row in self.rows}[key]

    def __contains__(self, key: str) -> bool:
        return any(row.key == key for row in self.rows)

    @property
    def effects(self) -> list[str]:
        """The effects whose tails it tells of, in the data set's order."""
        rows = [row.key for row in self.rows if row.key.startswith("reverb.ratio.")]
        return [key.removeprefix("reverb.ratio.") for key in rows]

    def table(self) -> pd.DataFrame:
        """Return what GANSynth's Table 1 measures, and the kernel distance, as text."""
        names = ["real notes", f"real through {self.facts['representation']}", "generated"]
        cells = {column: list(map(self[key].text, NOTE_SETS)) for column, key in _TABLE.items()}
        return pd.DataFrame(cells, pd.Index(names, name="notes"))

    def measures(self, group: str) -> pd.DataFrame:
        """Return the measures of a group: a row for each metric, a column for each set."""
        rows = [[row.title, *map(row.text, NOTE_SETS)] for row in self.rows if row.group == group]
        columns = ["measure", "real", "through an image", "generated"]
        return pd.DataFrame(rows, columns=columns).set_index("measure")

    def claims(self) -> pd.DataFrame:
        """Return the verdicts, one row each."""
        frame = pd.DataFrame([asdict(verdict) for verdict in self.verdicts])
        return frame.set_index("claim")[["verdict", "evidence", "rule", "source"]]

    def text(self) -> str:
        """Return what a musician asks first, the measures and the verdicts, for a terminal."""
        counts = self.facts.get("keys_in_tune", {})
        near = [f"{near} of {total} {keys}" for keys, (near, total) in counts.items() if total]
        parts = [f"In tune within 50 cents, a note each: {' and '.join(near)}."] if near else []
        for group in dict.fromkeys(row.group for row in self.rows):
            parts.append(f"{group}\n{self.measures(group).to_string(justify='left')}")
        for found in self.verdicts:
            rule = f"\n  ({found.rule})" if found.rule else ""
            parts.append(f"{found.verdict.upper()}: {found.claim}\n  {found.evidence}{rule}")
        return "\n\n".join(parts)

    def examples(self, effect: str, count: int = 2) -> list[int]:
        """Return the indices of the first generated notes of an effect, requested or predicted."""
        indices, effects = (self.values[name]["generated"] for name in ("place", "effect"))
        pairs = zip(indices, effects, strict=True)
        return [int(index) for index, of_note in pairs if of_note == effect][:count]

    def play(self, instrument: Instrument, indices: Sequence[int]) -> np.ndarray:
        """Generate some of the evaluated notes again with the evaluated instrument, by index."""
        latents = instrument.latents(self.facts["notes"]["generated"], self.facts["seed"])
        labels: Any = {name: [asked[i] for i in indices] for name, asked in self.asked.items()}
        return instrument.notes(labels.pop("pitch"), z=latents[list(indices)], **labels)
