"""Chapter 2: what is shown of notes that went through images."""

import numpy as np
import pytest

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.book.chapters import if_mel
from reverbsynth.book.players import MEDIA
from reverbsynth.data.notes import Note
from reverbsynth.evaluation.clips import Clips
from reverbsynth.settings import Settings


@pytest.fixture
def clips() -> Clips:
    noise = np.random.default_rng(0).normal(0, 0.1, (4, NOTE_LENGTH)).astype(np.float32)
    effects = ("dry", "reverb", "dry", "reverb")
    return Clips.from_notes(
        [Note(effect, wave, 40, effect=effect) for effect, wave in zip(effects, noise, strict=True)]
    )


def test_the_first_note_of_each_effect_is_heard_beside_what_it_was_decoded_to(here, clips):
    ways = {"one": clips.waves, "two": clips.waves}
    page = if_mel.round_trips(clips, ways, Settings.preset("paper"), "way").data
    assert page.count("<audio") == len(list(MEDIA.glob("way-*.wav"))) == 2 * 3
    for label in ("E2 (40), dry, as recorded", "E2 (40), reverb, two"):
        assert f'aria-label="{label}"' in page


def test_releases_have_a_part_for_each_effect_and_a_line_for_each_inverse(clips):
    decoded = dict.fromkeys("abcd", clips.waves)
    figure = if_mel.releases(clips, decoded)
    assert [ax.get_title("left") for ax in figure.axes] == ["dry", "reverb"]
    assert all(len(ax.lines) == 1 + len(decoded) for ax in figure.axes)
