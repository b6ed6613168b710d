"""A listening test for people: a page to answer, and what the answers say.

    python benchmarks/listening_test.py RUN DATA page.html
    python benchmarks/listening_test.py --answers answers-*.json

The page needs no network and nothing beside it; each listener saves the answers as a file. RUN is a
run or a results bundle whose effects were applied to held-out notes of DATA.

Two kinds of trials: ABX, whether a result can be told from its true twin (Clark, "High-resolution
subjective testing using a double-blind comparator", 1982), and ratings of several methods against
the twin, with the twin itself and a low-pass copy hidden among them (ITU-R BS.1534-3, MUSHRA).
"""

import argparse
import base64
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import signal, stats

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.io import encode_audio
from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import DataError, ReverbSynthError
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.effect_transfer import METHODS, TransferTrials, apply_to_held_out
from reverbsynth.files.atomic import write_text
from reverbsynth.files.reading import read_json
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.seeds import generator
from reverbsynth.training.run import Run

FORMAT = 1
TWIN, ANCHOR = "the true twin", "low-pass anchor"
ANCHOR_HZ = 3500.0
_PAGE = Path(__file__).with_suffix(".html")
_LOUDEST = 0.9
_MISSED, _MOST_MISSED = 90, 0.15  # BS.1534-3, 4.1.2: who rates the hidden twin lower, too often


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("test", nargs="*", metavar="RUN DATA PAGE", type=Path)
    parser.add_argument("--answers", nargs="+", type=Path, help="files that the page saved")
    options = parser.parse_args()
    try:
        _run(parser, options)
    except ReverbSynthError as error:
        parser.exit(2, f"listening_test.py: {error}\n")


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.answers:
        print(abx_results(options.answers).to_string())
        print(rating_results(options.answers, Bootstrap()).to_string())
    elif len(options.test) == 3:
        run, data = Run.open(options.test[0]), DataSet.open(options.test[1])
        trials = apply_to_held_out(run, data)
        write_listening_test(options.test[2], trials, Instrument.from_run(run), data)
    else:
        parser.error("expected RUN DATA PAGE, or --answers")


def write_listening_test(
    path: Path | str, trials: TransferTrials, instrument: Instrument, data: DataSet, seed: int = 0
) -> None:
    """Write a page that needs nothing beside it: its clips are in it, its answers are saved by it.

    Each transfer trial is an ABX of the result and its true twin, and a rating of twin, result,
    untouched recording and anchor. All clips of a trial are as loud as its twin.
    """
    rng = generator(seed, "listening")
    shown: list[dict] = []
    for number, trial in enumerate(trials.trials):
        notes = trial.notes(data)
        if trial.effect not in notes:
            continue
        recording, twin = (
            next(note.audio for note in notes.values() if note.id == trial.id),
            notes[trial.effect].audio,
        )
        sections = signal.butter(4, ANCHOR_HZ, fs=SAMPLE_RATE, output="sos")
        rated = {
            TWIN: twin,
            METHODS["network"]: trial.play(instrument, recording)[1],
            METHODS["nothing"]: recording,
            ANCHOR: signal.sosfilt(sections, twin),
        }
        clips = dict(zip(rated, _encoded(list(rated.values())), strict=True))
        order = [list(clips)[i] for i in rng.permutation(len(clips))]
        for kind, names in (("abx", [TWIN, METHODS["network"]]), ("rating", order)):
            asked = {"id": f"{kind}-{number}", "kind": kind, "x": int(rng.integers(2))}
            heard = {"clips": [clips[name] for name in names], "reference": clips[TWIN]}
            shown.append({**asked, "names": names, **heard})
    if not shown:
        raise DataError(
            f"{path}: found no trials of effects on notes of this data set to listen to"
        )
    content = json.dumps({"format": FORMAT, "trials": shown})
    page = _PAGE.read_text(encoding="utf-8").replace("/*TEST*/", content.replace("<", "\\u003c"))
    write_text(Path(path), page)


def abx_results(paths: Iterable[Path | str]) -> pd.DataFrame:
    """Summarize the ABX answers of files that the page saved, a row for each listener and for all.

    The p-value is that of so many right answers or more by guessing.
    """
    answers = _answers(paths, "abx")
    if not len(answers):
        return pd.DataFrame()
    everyone, rows = answers.assign(listener="all"), {}
    for listener, group in pd.concat([answers, everyone]).groupby("listener", sort=False):
        right = int(group["right"].sum())
        p = stats.binomtest(right, len(group), 0.5, "greater").pvalue
        rows[listener] = {"right": right, "of": len(group), "p-value": round(float(p), 4)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("listener")


def rating_results(paths: Iterable[Path | str], bootstrap: Bootstrap) -> pd.DataFrame:
    """Summarize ratings from 0 to 100: medians by method, with intervals.

    Listeners who rate the hidden twin below 90 in more than 15 % of their trials are left out.
    """
    answers = _answers(paths, "rating")
    if not len(answers):
        return pd.DataFrame()
    hidden = answers[answers["method"] == TWIN]
    missed = (hidden["rating"] < _MISSED).groupby(hidden["listener"]).mean()
    heard = answers[answers["listener"].isin(missed[missed <= _MOST_MISSED].index)]
    medians = {
        method: {"rating": bootstrap.median(group.to_numpy()).text(0), "answers": len(group)}
        for method, group in heard.groupby("method")["rating"]
    }
    return pd.DataFrame.from_dict(medians, orient="index").rename_axis("method")


def _answers(paths: Iterable[Path | str], kind: str) -> pd.DataFrame:
    rows = []
    for path in paths:
        saved = read_json(path, FORMAT, DataError)
        try:
            for answer in saved["answers"]:
                if answer["kind"] == kind:
                    rows.append({"listener": str(saved["listener"]), **answer})
        except (KeyError, TypeError):
            raise DataError(f"{path}: expected the answers that a listening test saved") from None
    return pd.DataFrame(rows)


def _encoded(waves: Sequence[np.ndarray]) -> list[str]:
    """Waves as loud as the first, and none beyond full scale, as addresses of FLAC files."""
    levels = [float(np.sqrt(np.mean(np.square(wave)))) for wave in waves]
    scaled = [
        wave * (levels[0] / max(level, 1e-9)) for wave, level in zip(waves, levels, strict=True)
    ]
    gain = _LOUDEST / max(max(float(np.abs(wave).max()) for wave in scaled), 1e-9)
    files = [encode_audio(gain * wave, ".flac") for wave in scaled]
    return [f"data:audio/flac;base64,{base64.b64encode(file).decode()}" for file in files]


if __name__ == "__main__":
    main()
