"""Check that rendered pages are whole: with the network unplugged, nothing may be missing.

And make them lighter: what the theme loads twice is loaded once.
"""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reverbsynth.errors import ReverbSynthError

_LOADED = {
    ("audio", "src"),
    ("iframe", "src"),
    ("img", "src"),
    ("link", "href"),
    ("script", "src"),
    ("source", "src"),
    ("video", "src"),
}
"""What a browser fetches by itself."""

WEIGHT_LIMIT = 5_000_000
"""Bytes that a page may load before a player is pressed."""

_ICONS = re.compile(r"<script[^>]*/fontawesome/[^>]*></script>\s*")
"""The theme's icons as a script: they come as a font too, in a tenth of the size."""

_NOT_FETCHED = {"canonical", "prev", "next", "index", "search", "author", "license"}
"""Relations of a ``link`` that only name another page."""


class _References(HTMLParser):
    """What a page loads, what it links to, its targets, and what has no text in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.waiting: list[str] = []
        self.linked: list[str] = []
        self.targets: set[str] = set()
        self.nameless: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.targets.add(found["id"])
        if tag == "a" and "href" in found:
            self.linked.append(found["href"])
        if tag == "img" and not found.get("alt"):
            self.nameless.append(f"picture {found.get('src', '?')} has no alternative text")
        if tag == "audio" and not found.get("aria-label"):
            self.nameless.append(f"player {found.get('src', '?')} has no aria-label")
        if tag == "link" and set(found.get("rel", "").split()) & _NOT_FETCHED:
            return
        addresses = [found[name] for name in found if (tag, name) in _LOADED]
        pressed = tag in ("audio", "video") and found.get("preload") == "none"
        (self.waiting if pressed else self.loaded).extend(addresses)


def check_pages(html: Path) -> int:
    """Check every page under `html` (see `page_faults`).

    Returns
    -------
    int
        The number of pages.

    Raises
    ------
    ReverbSynthError
        With the first fault and the number of faults.
    """
    faults = page_faults(html)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ReverbSynthError(f"{html}: {faults[0]}{more}")
    return len(_pages(html))


def page_faults(html: Path) -> list[str]:
    """What is wrong with the pages under `html`, each fault with the page and the element.

    Nothing is loaded from another host, every local file and target that a page refers to exists,
    every picture and player has a text for those who cannot see it, and no page is heavier than
    `WEIGHT_LIMIT`.
    """
    pages = _pages(html)
    faults: list[str] = []
    for path, page in pages.items():
        name = path.relative_to(html.resolve())
        faults += [f"{name}: {fault}" for fault in page.nameless]
        fetched = [*page.loaded, *page.waiting]
        faults += [
            f"{name}: loads {address} from another host" for address in fetched if _host(address)
        ]
        for address in [*fetched, *page.linked]:
            if urlsplit(address).scheme or _host(address):
                continue
            if not _exists(path, address, pages):
                faults.append(f"{name}: refers to {address}, which does not exist")
        weight, heaviest = _weight(path, page)
        if weight > WEIGHT_LIMIT:
            faults.append(
                f"{name}: loads {weight / 1e6:.1f} MB, expected at most {WEIGHT_LIMIT / 1e6:.1f} "
                f"MB; the largest part is {heaviest}"
            )
    return faults


def lighten(html: Path) -> None:
    """Take the second copy of the theme's icons out of every page."""
    for path in html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if _ICONS.search(text):
            path.write_text(_ICONS.sub("", text), encoding="utf-8")
    for folder in html.glob("_static/vendor/fontawesome/*/js"):
        shutil.rmtree(folder)


def _pages(html: Path) -> dict[Path, _References]:
    return {
        path: _parsed(path)
        for path in sorted(html.resolve().rglob("*.html"))
        if not path.relative_to(html.resolve()).parts[0].startswith("_")
    }


def _weight(path: Path, page: _References) -> tuple[int, str]:
    """Bytes that a page and what it loads have, and the heaviest part."""
    parts = {path: path.stat().st_size}
    for address in page.loaded:
        parts_of = urlsplit(address)
        if parts_of.path and not parts_of.scheme and not parts_of.netloc:
            target = (path.parent / unquote(parts_of.path)).resolve()
            if target.is_file():
                parts[target] = target.stat().st_size
    heaviest = max(parts, key=parts.__getitem__)
    return sum(parts.values()), heaviest.name


def _parsed(path: Path) -> _References:
    page = _References()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _host(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) and parts.scheme in ("", "http", "https")


def _exists(page: Path, address: str, pages: dict[Path, _References]) -> bool:
    parts = urlsplit(address)
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return False
    return not parts.fragment or target not in pages or parts.fragment in pages[target].targets
