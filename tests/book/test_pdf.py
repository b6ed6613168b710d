"""The chapters as a PDF."""

import shutil

import pytest
from pypdf import PdfReader

from reverbsynth.book import pdf
from reverbsynth.errors import ReverbSynthError

CONTENTS = """\
root: index
parts:
  - caption: The paper
    chapters: [{file: one}]
  - caption: Use it
    chapters: [{file: two}]
"""


@pytest.fixture
def contents(tmp_path):
    path = tmp_path / "_toc.yml"
    path.write_text(CONTENTS)
    return path


@pytest.fixture
def html(tmp_path):
    folder = tmp_path / "html"
    folder.mkdir()
    (folder / "index.html").write_text(
        '<title>Home — Book</title><p>Home</p><a href="one.html">one</a><a href="https://a.org">a'
    )
    (folder / "one.html").write_text("<title>One — Book</title><p>A note and its twin")
    return folder


def test_the_paper_s_parts_are_printed(contents):
    assert pdf.chapters(contents) == ["index", "one"]


@pytest.mark.browser
def test_chapters_become_one_file_with_an_outline(html, contents, tmp_path):
    target = tmp_path / "book.pdf"
    assert pdf.print_book(html, contents, target) == 2
    made = PdfReader(target)
    assert [entry.title for entry in made.outline] == ["Home", "One"]
    assert "A note and its twin" in made.pages[1].extract_text()
    links = [link.get_object()["/A"]["/URI"] for link in made.pages[0]["/Annots"]]
    assert links == ["https://a.org/"]


def test_a_book_that_is_not_built_is_told_of(contents, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/chromium")
    with pytest.raises(ReverbSynthError, match=r"index\.html: not found; build the book first"):
        pdf.print_book(tmp_path / "none", contents, tmp_path / "book.pdf")
    assert not (tmp_path / "book.pdf").exists()


def test_without_a_browser_it_says_so(html, contents, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ReverbSynthError, match="no browser to print with"):
        pdf.print_book(html, contents, tmp_path / "book.pdf")
