"""Notes that are compared, and a grid of them."""

from collections import Counter

import numpy as np
import pytest

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.data.notes import Note
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.grid import real_grid
from reverbsynth.settings import SpectraSettings
from reverbsynth.spectra.representation import Representation

SILENCE = np.zeros(NOTE_LENGTH, np.float32)
SOUND = np.tile(np.float32([0.1, -0.1]), NOTE_LENGTH // 2)
OFFSET = np.full(NOTE_LENGTH, 0.1, np.float32)
BROKEN = np.where(np.arange(NOTE_LENGTH) == 5, np.nan, SOUND)


def test_flaws_of_silence_and_nan():
    clips = Clips.of_waves(np.stack([SOUND, SILENCE, OFFSET, BROKEN, BROKEN, BROKEN]), [40] * 6, {})
    assert clips.flaws.tolist() == ["", "silent", "silent", "NaN", "NaN", "NaN"]
    assert clips.missing_reason == "NaN"
    assert clips.where(clips.flaws == "").missing_reason == ""


def test_held_out_notes_are_of_both_splits(small_data):
    clips = Clips.of(small_data, ("valid", "test"))
    rows = small_data.index("valid") + small_data.index("test")
    assert clips.id.tolist() == [row["id"] for row in rows]
    assert clips.pitch.tolist() == [row["pitch"] for row in rows]


def test_a_limit_draws_the_same_notes_again(small_data):
    first, second = (Clips.of(small_data, ("train",), 4, seed=1).id.tolist() for _ in range(2))
    assert first == second
    assert len(set(first)) == 4
    others = {tuple(Clips.of(small_data, ("train",), 4, seed=n).id) for n in range(2, 8)}
    assert len(others) > 1


@pytest.mark.parametrize(("limit", "sources"), [(1, 1), (3, 1), (5, 2), (99, 4)])
def test_a_limited_draw_tears_no_twins_apart(small_data, limit, sources):
    clips = Clips.of(small_data, ("train",), limit, seed=3)
    twins = Counter(clips.origin)
    assert set(twins.values()) == {2}
    assert len(twins) == sources


def test_the_last_stage_loses_least(small_data):
    clips = Clips.of(small_data, ("test",))
    representation = Representation(SpectraSettings())
    last, early = (clips.resynthesized(representation, stage) for stage in (12, 4))
    assert last.id.tolist() == clips.id.tolist()
    energy = np.square(clips.waves).sum()
    assert np.square(last.waves).sum() == pytest.approx(energy, rel=0.5)
    assert np.square(early.waves).sum() < 0.5 * energy


def test_a_grid_has_every_timbre_at_every_pitch():
    notes = [
        Note(f"{bass}-{pitch}/{effect}", SOUND, pitch, 1, bass, effect)
        for bass in ("finger", "pick", "fretless")
        for pitch in range(40, 50)
        for effect in ("dry", "reverb")
        if not (bass == "fretless" and pitch == 45)
    ]
    grid = real_grid(Clips.from_notes(notes), timbres=8, pitches=4)
    assert (grid.timbres, grid.pitches) == (6, 4)
    pitches = grid.clips.pitch.reshape(6, 4)
    assert (pitches == pitches[0]).all()
    assert pitches[0].tolist() == [40, 43, 46, 49]
    for row in range(6):
        names = grid.clips.instrument[4 * row : 4 * row + 4]
        assert len(set(names)) == 1
    assert grid.levels.shape[:2] == (6, 4)


def test_no_grid_where_timbres_share_no_pitches():
    notes = [Note(f"{pitch}", SOUND, pitch, 1, f"bass {pitch}") for pitch in (40, 41, 42)]
    grid = real_grid(Clips.from_notes(notes), 8, 8)
    assert (grid.timbres, grid.pitches, len(grid.clips)) == (0, 0, 0)
