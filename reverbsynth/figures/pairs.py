"""The generated notes nearest to training notes, seen and heard (chapter 8)."""

from collections.abc import Sequence

import numpy as np
from IPython.display import Markdown

from reverbsynth.data import Note
from reverbsynth.evaluation.result import Report
from reverbsynth.figures.captions import Captioned, show
from reverbsynth.figures.evaluation import closest_pairs
from reverbsynth.figures.style import note_name
from reverbsynth.instrument import Instrument
from reverbsynth.players import Sound
from reverbsynth.runs import Run


def show_closest_pairs(
    pairs: Sequence[tuple[np.ndarray, Note]], report: Report, instrument: Instrument, run: Run
) -> Captioned | Markdown:
    """A captioned figure with players, or a sentence where the training notes are not here.

    Parameters
    ----------
    pairs
        Generated samples [shape=(64000,)] and the training note nearest to them, as
        `reverbsynth.evaluation.report.closest_notes` gives them.
    """
    if not pairs:
        return Markdown("The notes that this run was trained on are not on this machine.")
    generated, notes = zip(*pairs, strict=True)
    known = {note.id for note in notes}
    shown = [pair for pair in report.pairs if pair["training"] in known]
    encode = instrument.representation.encode_all
    return show(
        closest_pairs(
            encode(np.stack(generated)),
            encode(np.stack([note.audio for note in notes])),
            [f"{pair['distance']:.1f} dB" for pair in shown],
            instrument.spectra.representation,
        ),
        "**The closest pairs**: the generated notes that are nearest to a training note, "
        "and that note.",
        run,
        "evaluation-pairs",
        alt="Spectrograms in two rows: generated notes above, the training note nearest to each "
        "below.",
        sounds=[
            *(
                Sound(f"generated, {note_name(pair['pitch'])}", wave)
                for pair, wave in zip(shown, generated, strict=True)
            ),
            *(
                Sound(f"training, {note_name(note.pitch)}, {note.effect}", note.audio)
                for note in notes
            ),
        ],
        columns=len(pairs),
    )
