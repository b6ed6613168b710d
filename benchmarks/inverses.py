"""What the image and its inverses lose: real notes there and back, and an instrument's own notes.

    python benchmarks/inverses.py DATA [INSTRUMENT]

DATA is the folder of the default data set (``reverbsynth data DATA --preset laptop``); its held-out
notes are decoded by each inverse at stages 8, 10 and 12. With an instrument, 100 of its notes are
decoded by each inverse and judged by classifiers that learned from real notes, and by YIN.
"""

import sys

import numpy as np
import pandas as pd

from reverbsynth.audio.pitch import cents
from reverbsynth.audio.spectrum import mel_levels
from reverbsynth.audio.tails import measure_tails
from reverbsynth.data.dataset import DataSet
from reverbsynth.evaluation.classifier import LabelClassifier
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.representations import INVERSES, by_each_inverse, compare_inverses
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import Settings

NOTES, SEED = 100, 5


def judge(instrument: Instrument, data: DataSet) -> pd.DataFrame:
    """Notes of drawn labels by each inverse: shares in percent, tails, and the nearest real note's
    distance in dB (root mean square over mel levels)."""
    settings, train, rows = Settings.preset("laptop").evaluation, Clips.of(data, ["train"]), {}
    heard = {name: LabelClassifier.trained(data, name, settings, 0) for name in ("pitch", "effect")}
    levels = mel_levels(train.waves)
    for name, inverse in INVERSES.items():
        clips = Clips.generated(instrument.decoded_by(**inverse), data, NOTES, SEED)
        tails, dry = measure_tails(clips.waves).ratio, clips.effect == "dry"
        nearest = []
        for level, pitch, effect in zip(
            mel_levels(clips.waves), clips.pitch, clips.effect, strict=True
        ):
            same = levels[(train.pitch == pitch) & (train.effect == effect)]
            nearest.append(np.sqrt(np.square(same - level).mean(axis=(1, 2))).min())
        rows[name] = {
            "pitch %": 100 * np.mean(heard["pitch"].predict(clips.waves).best == clips.pitch),
            "within 50 cents %": 100 * np.mean(np.abs(cents(clips.waves, clips.pitch)) < 50),
            "effect %": 100 * np.mean(heard["effect"].predict(clips.waves).best == clips.effect),
            "dry tail (dB)": np.median(tails[dry]),
            "wet tail (dB)": np.median(tails[~dry]),
            "nearest (dB)": np.mean(nearest),
        }
    return pd.DataFrame.from_dict(rows, "index")


def main() -> None:
    data = DataSet.open(sys.argv[1])
    clips = Clips.of(data, ["valid", "test"])
    decoded = by_each_inverse(clips, Settings().spectra)
    print(compare_inverses(clips, decoded).round(3).to_string(index=False))
    for path in sys.argv[2:]:
        print(path, judge(Instrument.load(path), data).round(2).to_string(), sep="\n")


if __name__ == "__main__":
    main()
