"""What an evaluation found: measures, verdicts, and what figures are drawn from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from reverbsynth.evaluation import gansynth_table
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.stored import StoredResult
from reverbsynth.instrument.instrument import Instrument

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
    """One metric, measured of three sets of notes.

    Attributes
    ----------
    key : str
        Such as ``pitch.accuracy``.
    group, name, unit : str
        For people. A measure whose unit is ``%`` is a share between 0 and 1.
    digits : int
        Decimals that are shown.
    real : Measure
        Of real notes that no classifier was trained on.
    ceiling : Measure
        Of the same notes through an image of the stage's resolution and back.
    generated : Measure
        Of generated notes.
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
        measure: Measure = getattr(self, note_set)
        return measure.text(self.digits, 100 if self.unit == "%" else 1)


@dataclass(frozen=True)
class Verdict:
    """What became of one claim.

    Attributes
    ----------
    key : str
        Such as ``reverb``.
    claim, source : str
        What is claimed, and where.
    verdict : str
        ``reproduced``, ``not reproduced`` or ``not testable``.
    rule : str
        What had to be measured, stated in the settings.
    evidence : str
        What was measured.
    missed : list of str
        The rules that were not met.
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

    Attributes
    ----------
    facts : dict
        What was evaluated: stage, data, sizes, seed, settings, commit, seconds.
    rows : list of Row
    verdicts : list of Verdict
        One for each claim.
    curves : dict
        By set of notes and effect, the level around the release: quartiles over notes (``low``,
        ``median``, ``high``) at ``seconds``.
    values : dict
        By measure and set, the value of each note (None where it has none).
    asked : dict
        Requested labels of the generated notes, in their order.
    pairs : list of dict
        The generated notes nearest to a training note.
    twins : dict
        By set, effect and measure, the values of notes that are there in every effect.
    dial : dict
        By set and effect, tail-to-sustain ratios over the dial in dB, a row for each note.
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
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)

    def __contains__(self, key: str) -> bool:
        return any(row.key == key for row in self.rows)

    def table(self) -> pd.DataFrame:
        """Return our measures in the shape of GANSynth's Table 1, below its authors' own rows.

        Theirs are of other notes and another classifier, so the columns compare within a source
        only. Every cell is text: a number with its interval, or why there is none.
        """
        theirs, bins = gansynth_table, str(self.facts["bins"])
        rows: dict[str, dict[str, str]] = {
            f"{name} (theirs)": {
                **dict(zip(theirs.COLUMNS, map(str, numbers), strict=True)),
                **{"source": theirs.SOURCE, "bins": str(theirs.BINS)},
                "kernel distance": "not reported",
            }
            for name, numbers in theirs.ROWS.items()
        }
        note_sets = {
            "real notes": "real",
            f"real through {self.facts['representation']}": "ceiling",
            "generated": "generated",
        }
        for name, note_set in note_sets.items():
            cells = {column: self[key].text(note_set) for column, key in _TABLE.items()}
            rows[name] = {"source": "ours", "human wins": "not asked", "bins": bins, **cells}
        columns = ["source", "human wins", "NDB", "bins", *list(_TABLE)[1:]]
        frame = pd.DataFrame.from_dict(rows, orient="index")[columns]
        return frame.rename_axis("notes")

    def measures(self, group: str | None = None) -> pd.DataFrame:
        """Return all measures, or a group's: a row for each metric, a column for each set."""
        rows = [row for row in self.rows if group in (None, row.group)]
        frame = pd.DataFrame(
            {
                "group": [row.group for row in rows],
                "measure": [row.title for row in rows],
                "real": [row.text("real") for row in rows],
                "through an image": [row.text("ceiling") for row in rows],
                "generated": [row.text("generated") for row in rows],
            }
        ).set_index(["group", "measure"])
        return frame if group is None else frame.droplevel("group")

    def claims(self) -> pd.DataFrame:
        """Return the verdicts, one row each."""
        frame = pd.DataFrame([asdict(verdict) for verdict in self.verdicts])
        return frame.set_index("claim")[["verdict", "evidence", "rule", "source"]]

    def text(self) -> str:
        """Return the measures and the verdicts, for a terminal."""
        parts = [
            f"{group}\n{self.measures(group).to_string(justify='left')}"
            for group in dict.fromkeys(row.group for row in self.rows)
        ]
        parts += [
            f"{verdict.verdict.upper()}: {verdict.claim}\n  {verdict.evidence}\n  ({verdict.rule})"
            for verdict in self.verdicts
        ]
        return "\n\n".join(parts)

    def summary(self) -> str:
        """Return the verdicts in a sentence or two."""
        by_verdict: dict[str, list[str]] = {}
        for verdict in self.verdicts:
            by_verdict.setdefault(verdict.verdict, []).append(verdict.claim.rstrip("."))
        hold = len(by_verdict.get("reproduced", []))
        sentences = [f"Of {len(self.verdicts)} claims, {hold} hold."]
        sentences += [
            f"{name.capitalize()}: {'; '.join(claims)}." for name, claims in by_verdict.items()
        ]
        return " ".join(sentences)

    def examples(self, effect: str, count: int = 2) -> list[int]:
        """Return the indices of the first generated notes of an effect, requested or predicted."""
        indices, effects = (self.values[name]["generated"] for name in ("place", "effect"))
        pairs = zip(indices, effects, strict=True)
        return [int(index) for index, of_note in pairs if of_note == effect][:count]

    def play(self, instrument: Instrument, indices: Sequence[int]) -> np.ndarray:
        """Generate some of the evaluated notes again.

        Parameters
        ----------
        instrument : Instrument
            The one that was evaluated.
        indices : sequence of int
            Which of the generated notes.

        Returns
        -------
        ndarray, float32 [shape=(n, 64000)]
        """
        latents = instrument.latents(self.facts["notes"]["generated"], self.facts["seed"])
        labels: dict[str, Any] = {
            name: [values[i] for i in indices] for name, values in self.asked.items()
        }
        return instrument.notes(labels.pop("pitch"), z=latents[list(indices)], **labels)
