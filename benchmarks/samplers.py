"""Tuning, tails and loudness of a SoundFont exported from the shipped instrument, played back.

    python benchmarks/samplers.py

Run it from the checkout. FluidSynth plays every sixth key for 5 s, dry and wet, without effects of
its own; what it plays is compared with the key's pitch and with the note as generated.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from reverbsynth.audio.output import Output, loudness
from reverbsynth.audio.pitch import cents
from reverbsynth.audio.tails import measure_tails
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.sampler import write_sf2
from reverbsynth.instrument.sampler.samples import sample_set
from tests.instrument.test_sampler import KEYS, fluidsynth, notes_of, score

RATE = 48_000


def main() -> None:
    instrument = Instrument.load("laptop")
    notes = sample_set(instrument, "laptop", KEYS, loops=False, output=Output(RATE))
    levels = [loudness(sample.wave[: round(0.6 * RATE)], RATE) for sample in notes.samples]
    print(f"{len(notes.samples)} samples, loudness within {np.ptp(levels):.2f} LU")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sf2(notes, folder / "laptop.sf2")
        for program, effect in enumerate(notes.choices):
            generated = instrument.notes(KEYS, instrument.latents(1, 0)[0], effect=effect)
            played = notes_of(*fluidsynth(folder / "laptop.sf2", score(program), folder), generated)
            off = np.abs(cents(played, np.array(KEYS)))
            ours, theirs = measure_tails(played), measure_tails(generated)
            apart = np.abs(ours.t20 - theirs.t20)[ours.decays & theirs.decays]
            print(
                f"{effect}: at most {off.max():.1f} cents off (median {np.median(off):.1f}), "
                f"T20 within {apart.max():.3f} s of the generated notes' ({len(apart)} tails)"
            )


if __name__ == "__main__":
    main()
