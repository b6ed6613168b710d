"""What an evaluation found: measures, verdicts, and what figures are drawn from."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation import gansynth_table
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.files.atomic import write_json
from reverbsynth.instrument.instrument import Instrument

FORMAT = 1

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
    """One measure of three kinds of notes.

    Attributes
    ----------
    key
        Such as ``pitch.accuracy``.
    group, name, unit
        For people. A measure whose unit is ``%`` is a share between 0 and 1.
    digits
        Decimals that are shown.
    real
        Of real notes that no listener was trained on.
    ceiling
        Of the same notes after the round trip through an image of the stage's resolution.
    generated
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

    def text(self, kind: str) -> str:
        """The cell of a table for ``real``, ``ceiling`` or ``generated``."""
        measure: Measure = getattr(self, kind)
        if self.unit == "%" and measure.known:
            scaled = [100 * part for part in (measure.value, measure.low, measure.high)]
            measure = Measure(*scaled, measure.notes)
        return measure.text(self.digits)


@dataclass(frozen=True)
class Verdict:
    """What became of one claim.

    Attributes
    ----------
    key
        Such as ``reverb``.
    claim, source
        What is claimed, and where.
    verdict
        ``reproduced``, ``not reproduced`` or ``not testable``.
    rule
        What had to be measured, stated in the settings.
    evidence
        What was.
    """

    key: str
    claim: str
    source: str
    verdict: str
    rule: str
    evidence: str


@dataclass
class Report:
    """All that an evaluation found. `reverbsynth.evaluation.evaluate.evaluate` makes it.

    Attributes
    ----------
    facts
        What was evaluated: stage, data, sizes, seed, settings, commit, seconds.
    rows
        Measures.
    verdicts
        One for each claim.
    curves
        Level around the release by kind and effect: quartiles over notes (``low``, ``median``,
        ``high``) at ``seconds``.
    values
        By measure and kind, the value of each note (None where it has none).
    asked
        Labels of the generated notes, in their order.
    pairs
        The generated notes nearest to a training note.
    twins
        By kind, effect and measure, the values of notes that are there in every effect.
    dial
        By kind and effect, the level of the tail in dB over the dial's steps, a row for each note.
    """

    facts: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    curves: dict[str, dict] = field(default_factory=dict)
    values: dict[str, dict] = field(default_factory=dict)
    asked: dict[str, list] = field(default_factory=dict)
    pairs: list[dict] = field(default_factory=list)
    twins: dict[str, dict] = field(default_factory=dict)
    dial: dict[str, dict] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Row:
        """The measure called ``key``."""
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)

    def __contains__(self, key: str) -> bool:
        return any(row.key == key for row in self.rows)

    def table(self) -> pd.DataFrame:
        """Our measures in the shape of GANSynth's Table 1, below its authors' own rows.

        Theirs are of other notes and another classifier, so the columns compare within a source
        only. Every cell is text: a number with its interval, or why there is none.
        """
        rows: dict[str, dict[str, str]] = {}
        for name, numbers in gansynth_table.ROWS.items():
            cells = dict(zip(gansynth_table.COLUMNS, map(str, numbers), strict=True))
            cells["kernel distance"] = "not reported"
            rows[f"{name} (theirs)"] = {
                "source": gansynth_table.SOURCE,
                "bins": str(gansynth_table.BINS),
            }
            rows[f"{name} (theirs)"] |= cells
        kinds = {
            "real notes": "real",
            f"real through {self.facts['representation']}": "ceiling",
            "generated": "generated",
        }
        for name, kind in kinds.items():
            cells = {column: self[key].text(kind) for column, key in _TABLE.items()}
            bins = str(self.facts["bins"])
            rows[name] = {"source": "ours", "human wins": "not asked", "bins": bins, **cells}
        columns = ["source", "human wins", "NDB", "bins", *list(_TABLE)[1:]]
        frame = pd.DataFrame.from_dict(rows, orient="index")[columns]
        frame.index.name = "notes"
        return frame

    def measures(self, group: str | None = None) -> pd.DataFrame:
        """Every measure, or those of a group: a row each, and a column for each kind of note."""
        rows = {
            (row.group, row.title): {
                "real": row.text("real"),
                "through an image": row.text("ceiling"),
                "generated": row.text("generated"),
            }
            for row in self.rows
            if group in (None, row.group)
        }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        if group is not None:
            frame.index = pd.Index([title for _, title in rows], name="measure")
        else:
            frame.index = pd.MultiIndex.from_tuples(list(rows), names=["group", "measure"])
        return frame

    def claims(self) -> pd.DataFrame:
        """The verdicts, one row each."""
        frame = pd.DataFrame([asdict(verdict) for verdict in self.verdicts])
        return frame.set_index("claim")[["verdict", "evidence", "rule", "source"]]

    def text(self) -> str:
        """The measures and the verdicts, for a terminal."""
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
        """The verdicts in a sentence or two."""
        count: dict[str, list[str]] = {}
        for verdict in self.verdicts:
            count.setdefault(verdict.verdict, []).append(verdict.claim.rstrip("."))
        sentences = [f"Of {len(self.verdicts)} claims, {len(count.get('reproduced', []))} hold."]
        for word, claims in count.items():
            sentences.append(f"{word.capitalize()}: {'; '.join(claims)}.")
        return " ".join(sentences)

    def examples(self, effect: str, count: int = 2) -> list[int]:
        """Places of the first generated notes with an effect: asked for, or else heard."""
        places, effects = (self.values[name]["generated"] for name in ("place", "effect"))
        found = zip(places, effects, strict=True)
        return [int(place) for place, heard in found if heard == effect][:count]

    def play(self, instrument: Instrument, places: Sequence[int]) -> np.ndarray:
        """Generate some of the evaluated notes again, float32 [shape=(n, 64000)].

        Parameters
        ----------
        instrument : Instrument
            The one that was evaluated.
        places : sequence of int
            Which of the generated notes.
        """
        every = instrument.latents(self.facts["notes"]["generated"], self.facts["seed"])
        labels = {name: [values[i] for i in places] for name, values in self.asked.items()}
        return instrument.notes(labels.pop("pitch"), z=every[list(places)], **labels)

    def save(self, path: Path | str) -> None:
        """Write the report as JSON, atomically."""
        write_json(path, _plain({"format": FORMAT, **asdict(self)}))

    @classmethod
    def load(cls, path: Path | str) -> "Report":
        """Read what `save` wrote.

        Raises
        ------
        ReverbSynthError
            For a file that is missing, damaged or of another kind.
        """
        path = Path(path)
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored.pop("format") != FORMAT:
                raise ValueError
            rows = [
                Row(**{name: _measure(value) for name, value in row.items()})
                for row in stored.pop("rows")
            ]
            verdicts = [Verdict(**verdict) for verdict in stored.pop("verdicts")]
            return cls(rows=rows, verdicts=verdicts, **stored)
        except OSError as error:
            raise ReverbSynthError(f"{path}: cannot be read ({error.strerror})") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ReverbSynthError(
                f"{path}: not an evaluation of format {FORMAT}; remove it to evaluate anew"
            ) from None


def _measure(value: Any) -> Any:
    return Measure(**value) if isinstance(value, dict) else value


def _plain(value: Any) -> Any:
    """NumPy to Python, and numbers that JSON lacks to None."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
