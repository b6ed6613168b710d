"""The stage slider and the dry/wet toggle of a static page, in headless Chromium."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reverbsynth.book.captions import table
from reverbsynth.book.chapters import losses
from reverbsynth.book.players import Sound
from reverbsynth.book.slides import Slide, show_slides
from reverbsynth.settings import Settings
from tests import chromium

pytestmark = pytest.mark.browser

WORDY = pd.DataFrame({"setting": ["a"], "here": [2], "what it is": ["so many words that " * 3]})
STATIC = Path(__file__).parents[2] / "book" / "_static"


def slides(kind: str, name: str, labels: list[str]) -> str:
    """Slides of two sounds each, the second of six seconds."""
    made = [
        Slide(
            label,
            losses.stage_legend(2),
            f"picture of {label}",
            [Sound("short", np.zeros(800)), Sound("long", np.full(96_000, 0.01))],
        )
        for label in labels
    ]
    return show_slides(
        kind, "Stage", made, "**S.**", Settings.preset("tiny"), name, start=1
    )._repr_html_()


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """A page with a slider of three slides, a toggle of two, and a lone slide."""
    folder = tmp_path_factory.mktemp("slides")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        body = (
            slides("slider", "one", ["zero", "<one>", "two"])
            + slides("toggle", "two", ["dry", "wet"])
            + slides("slider", "three", ["alone"])
            + table(WORDY, "**W.**", Settings.preset("tiny"), "wordy")._repr_html_()
            + table(WORDY.iloc[:, :2], "**N.**", Settings.preset("tiny"), "narrow")._repr_html_()
        )
    style = (STATIC / "reverbsynth.css").read_text()
    script = (STATIC / "slides.js").read_text()
    (folder / "index.html").write_text(
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width'><style>{style}</style>"
        f"<body class='bd-article'>{body}<script>{script}</script></body></html>"
    )
    return (folder / "index.html").as_uri()


@pytest.fixture(scope="module")
def page(tmp_path_factory, address):
    with chromium.Page(tmp_path_factory.mktemp("profile")) as opened:
        opened.open(address)
        yield opened


def shown(page, figure: str) -> list[str]:
    """Labels of the slides that can be seen."""
    return page.evaluate(
        f"[...document.querySelectorAll('#{figure} .rs-slide')]"
        ".filter((slide) => slide.offsetParent).map((slide) => slide.dataset.label)"
    )


def test_one_slide_is_shown_at_first(page):
    assert shown(page, "one") == ["<one>"]
    assert shown(page, "two") == ["wet"]
    assert page.evaluate("document.querySelector('#one output').textContent") == "<one>"


def test_arrow_keys_move_the_slider_and_say_where_it_is(page):
    page.evaluate("document.querySelector('#one input').focus()")
    page.press("ArrowRight", "ArrowRight")
    assert shown(page, "one") == ["two"]
    told = page.evaluate("document.querySelector('#one input').getAttribute('aria-valuetext')")
    assert told == "two"
    page.press("ArrowLeft", "ArrowLeft")
    assert shown(page, "one") == ["<one>"]


def test_arrow_keys_switch_the_toggle(page):
    page.evaluate("document.querySelector('#two input:checked').focus()")
    page.press("ArrowLeft", "ArrowLeft")
    assert shown(page, "two") == ["dry"]
    page.press("ArrowRight", "ArrowRight")
    assert shown(page, "two") == ["wet"]


def test_a_sound_goes_on_in_the_other_slide(page):
    page.evaluate(
        "document.querySelectorAll('#two .rs-slide')[1].querySelectorAll('audio')[1].play()"
    )
    sounding = "document.querySelectorAll('#two .rs-slide')[{}].querySelectorAll('audio')[1]"
    page.wait_for(f"{sounding.format(1)}.currentTime > 0.3")
    page.evaluate("document.querySelectorAll('#two input')[0].click()")
    page.wait_for(f"{sounding.format(0)}.currentTime > 0.3")
    assert page.evaluate(f"{sounding.format(1)}.paused")
    assert not page.evaluate(f"{sounding.format(0)}.paused")
    assert (
        page.evaluate(
            "[...document.querySelectorAll('audio')].filter((player) => !player.paused).length"
        )
        == 1
    )
    page.evaluate(f"{sounding.format(0)}.pause()")


def test_every_control_has_a_name(page):
    unnamed = page.evaluate(
        "[...document.querySelectorAll('.rs-control input')].filter((e) => !e.labels.length).length"
    )
    assert unnamed == 0
    assert page.evaluate("document.querySelectorAll('.rs-control input').length") == 1 + 2


def test_rows_with_sentences_are_cards_whose_values_have_names(page):
    names = "[...document.querySelectorAll('#wordy tbody > tr > *')].map((e) => e.dataset.name)"
    assert page.evaluate(names) == list(WORDY)
    roles = "[...document.querySelectorAll('#wordy [role]')].map((e) => e.getAttribute('role'))"
    assert page.evaluate(roles) == ["table", "row", "row", "rowheader", "cell", "cell"]
    assert page.evaluate("document.querySelectorAll('.rs-cards').length") == 1


def test_a_lone_slide_has_no_control(page):
    assert shown(page, "three") == ["alone"]
    assert page.evaluate("document.querySelectorAll('#three .rs-control').length") == 0


def test_true_levels_are_beside_the_loudest_of_the_page(page):
    levels = "[...document.querySelectorAll('audio')].map((a) => [+a.dataset.gain, a.volume])"
    page.evaluate("document.querySelector('.rs-levels input').click()")
    volumes = page.evaluate(levels)
    loudest = min(gain for gain, _ in volumes)
    for gain, volume in volumes:
        assert volume == pytest.approx(10 ** ((loudest - gain) / 20), rel=1e-3)
    every = "[...document.querySelectorAll('.rs-levels input')].every((box) => box.checked)"
    assert page.evaluate(every)
    page.evaluate("document.querySelector('.rs-levels input').click()")
    assert all(volume == 1 for _, volume in page.evaluate(levels))


def test_it_fits_a_phone(page):
    page.call(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=740,
        deviceScaleFactor=1,
        mobile=True,
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.call("Emulation.clearDeviceMetricsOverride")


def test_without_a_script_all_slides_stand_in_a_row(page, address):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.open(address + "?still")
    places = page.call("DOM.getDocument", depth=-1)
    slides = page.call(
        "DOM.querySelectorAll", nodeId=places["root"]["nodeId"], selector="#one .rs-slide"
    )["nodeIds"]
    boxes = [page.call("DOM.getBoxModel", nodeId=node)["model"] for node in slides]
    page.call("Emulation.setScriptExecutionDisabled", value=False)
    assert len(boxes) == 3
    assert all(box["width"] > 100 and box["height"] > 50 for box in boxes)
    tops = {box["border"][1] for box in boxes}
    lefts = [box["border"][0] for box in boxes]
    assert len(tops) == 1
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == 3
