import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.data.notes import (
    SPLITS,
    Note,
    NoteRef,
    Rejected,
    assign_splits,
    audio_problem,
    draw,
    split_notes,
)
from reverbsynth.errors import ReverbSynthError
from reverbsynth.progress import batched
from reverbsynth.seeds import generator
from reverbsynth.settings import DataSettings, Settings


def entries(count):
    return [NoteRef(f"note-{number:03d}", 40, 100, "bass") for number in range(count)]


def counts(dealt):
    return [list(dealt.values()).count(split) for split in SPLITS]


def test_a_note_is_its_own_origin_unless_told():
    audio = np.zeros(NOTE_LENGTH, np.float32)
    assert Note("a", audio, 40).origin == "a"
    assert Note("a/reverb", audio, 40, origin="a").origin == "a"


def test_the_paper_shares_are_exact():
    dealt = assign_splits([str(number) for number in range(200)], (0.8, 0.1, 0.1), seed=0)
    assert counts(dealt) == [160, 20, 20]


@given(st.sets(st.text(max_size=5), min_size=3, max_size=60), st.integers(0, 2**32 - 1))
def test_dealing_leaves_nobody_out_and_no_split_empty(ids, seed):
    dealt = assign_splits(sorted(ids), (0.8, 0.1, 0.1), seed)
    assert set(dealt) == ids
    assert min(counts(dealt)) >= 1


@given(st.permutations([str(number) for number in range(20)]))
def test_dealing_does_not_depend_on_order(ids):
    assert assign_splits(ids, (0.8, 0.1, 0.1), 1) == assign_splits(sorted(ids), (0.8, 0.1, 0.1), 1)


def test_another_seed_deals_otherwise():
    ids = [str(number) for number in range(50)]
    assert assign_splits(ids, (0.8, 0.1, 0.1), 0) != assign_splits(ids, (0.8, 0.1, 0.1), 1)


def test_a_share_of_nothing_gets_nothing():
    assert counts(assign_splits(["a", "b"], (1.0, 0.0, 0.0), 0)) == [2, 0, 0]


def keyboard(keys, notes_per_key):
    return [
        NoteRef(f"{key}-{number}", key, 100, "piano")
        for key in keys
        for number in range(notes_per_key)
    ]


def test_without_held_out_keys_the_key_does_not_matter():
    notes = keyboard(range(40, 52), 5)
    expected = assign_splits([note.id for note in notes], (0.8, 0.1, 0.1), 3)
    assert split_notes(notes, DataSettings(), 3) == expected
    assert "train_every" not in Settings().non_default_values().get("data", {})


def test_keys_held_out_are_in_valid_and_test_only():
    notes = keyboard([21, 24, 25, 30, 40, 41, 45], 10)
    dealt = split_notes(notes, DataSettings(train_every=3), 0)
    assert set(dealt) == {note.id for note in notes}
    trained = {note.pitch for note in notes if dealt[note.id] == "train"}
    assert trained == {21, 30, 45}
    held_out = [dealt[note.id] for note in notes if note.pitch not in trained]
    assert held_out.count("valid") == held_out.count("test") == 20
    others = [dealt[note.id] for note in notes if note.pitch in trained]
    assert [others.count(split) for split in SPLITS] == [24, 3, 3]


def test_held_out_keys_need_a_split():
    with pytest.raises(ValueError, match="train_every: found 3, expected 1, since split leaves"):
        DataSettings(train_every=3, split=(1, 0, 0))


def test_too_few_notes_for_the_splits():
    with pytest.raises(ReverbSynthError, match="found 2 notes, expected at least 3"):
        assign_splits(["a", "b"], (0.8, 0.1, 0.1), 0)


def test_drawing_is_seeded_sorted_and_bounded():
    pool = entries(20)
    assert draw(pool, None, 0, []) == pool
    assert draw(pool, 50, 0, []) == pool
    drawn = draw(pool[::-1], 5, 0, [])
    assert len(drawn) == 5
    assert drawn == sorted(drawn, key=lambda entry: entry.id)
    assert drawn == draw(pool, 5, 0, [])
    assert drawn != draw(pool, 5, 1, [])


def test_generators_differ_by_seed_and_name():
    values = {
        generator(seed, *names).integers(2**60)
        for seed in (0, 1)
        for names in (("a",), ("b",), ("a", "b"), ("ab",))
    }
    assert len(values) == 8


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda audio: audio[:-1], "shape"),
        (lambda audio: np.where(np.arange(NOTE_LENGTH) == 7, np.nan, audio), "NaN"),
        (lambda audio: np.where(np.arange(NOTE_LENGTH) == 7, -np.inf, audio), "NaN or infinity"),
        (lambda audio: audio * 3, "peaks at 1.5"),
        (lambda audio: audio * 1e-5, "silent"),
    ],
)
def test_flaws(tone, change, problem):
    assert audio_problem(tone(40)) is None
    assert problem in audio_problem(change(tone(40)))


def test_rejected_notes_are_listed_or_an_error():
    listed = Rejected(skip=True)
    listed("a", "a.wav: is broken")
    assert listed.notes == [{"name": "a", "reason": "a.wav: is broken"}]
    with pytest.raises(ReverbSynthError, match=r"a\.wav: is broken"):
        Rejected(skip=False)("a", "a.wav: is broken")


def test_batches():
    assert list(batched(range(5), 2)) == [[0, 1], [2, 3], [4]]
