"""Check that rendered pages are whole: with the network unplugged, nothing may be missing.

And make them lighter: what the theme loads twice is loaded once.
"""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rich.console import Console

from reverbsynth.errors import ReverbSynthError

WEIGHT_LIMIT = 5_000_000  #: bytes that a page may load before a player is pressed

# Elements that a browser fetches by itself, and the attribute with the address.
_LOADED = dict.fromkeys(("audio", "iframe", "img", "script", "source", "video"), "src")
_LOADED["link"] = "href"
# Relations of a link that only name another page.
_NOT_FETCHED = {"canonical", "prev", "next", "index", "search", "author", "license"}
# The theme's icons as a script: they come as a font too, in a tenth of the size.
_ICONS = re.compile(r"<script[^>]*/fontawesome/[^>]*></script>\s*")


class _Page(HTMLParser):
    """What a page loads at once or when a player is pressed, what it links to, the targets it has,
    and its pictures and players without a text in their place.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.loaded: list[str] = []
        self.waiting: list[str] = []
        self.linked: list[str] = []
        self.targets: set[str] = set()
        self.nameless: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.targets.add(given["id"])
        if tag == "a" and "href" in given:
            self.linked.append(given["href"])
        if tag == "img" and not given.get("alt"):
            self.nameless.append(f"picture {given.get('src', '?')} has no alternative text")
        if tag == "audio" and not given.get("aria-label"):
            self.nameless.append(f"player {given.get('src', '?')} has no aria-label")
        names_a_page = tag == "link" and set(given.get("rel", "").split()) & _NOT_FETCHED
        address = given.get(_LOADED.get(tag, ""))
        if address is not None and not names_a_page:
            pressed = tag in ("audio", "video") and given.get("preload") == "none"
            (self.waiting if pressed else self.loaded).append(address)

    def target(self, address: str) -> Path:
        """The file that a local address of this page refers to."""
        path = urlsplit(address).path
        return (self.path.parent / unquote(path)).resolve() if path else self.path

    def overweight(self) -> list[str]:
        """The fault of a page that loads more than `WEIGHT_LIMIT` at once, if it does."""
        parts = {self.path, *(self.target(address) for address in self.loaded if _local(address))}
        sizes = {path: path.stat().st_size for path in parts if path.is_file()}
        total, most = sum(sizes.values()) / 1e6, WEIGHT_LIMIT / 1e6
        fault = f"loads {total:.1f} MB, expected at most {most:.1f} MB; the largest part is "
        return [fault + max(sizes, key=sizes.__getitem__).name] if total > most else []


def check_pages(html: Path, console: Console | None = None) -> int:
    """Check every page under a folder; a console lists all faults.

    Returns the number of pages; the error has the first of `page_faults`, and their number.
    """
    faults = page_faults(html)
    if console is not None:
        for fault in faults:
            console.print(fault, markup=False, highlight=False, soft_wrap=True)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ReverbSynthError(f"{html}: {faults[0]}{more}")
    return len(_paths(html))


def page_faults(html: Path) -> list[str]:
    """What is wrong with the pages under a folder, each fault with the page and the element.

    Nothing is loaded from another host, every local file and target that a page refers to exists,
    every picture and player has a text for those who cannot see it, and no page is heavier than
    `WEIGHT_LIMIT`.
    """
    pages = {path: _Page(path) for path in _paths(html)}
    faults: list[str] = []
    for path, page in pages.items():
        fetched = [*page.loaded, *page.waiting]
        found = [*page.nameless]
        found += [f"loads {address} from another host" for address in fetched if _host(address)]
        found += [
            f"refers to {address}, which does not exist"
            for address in (*fetched, *page.linked)
            if _local(address) and not _exists(page, address, pages)
        ]
        found += page.overweight()
        faults += [f"{path.relative_to(html.resolve())}: {fault}" for fault in found]
    return faults


def lighten(html: Path) -> None:
    """Take the second copy of the theme's icons out of every page."""
    for path in html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if _ICONS.search(text):
            path.write_text(_ICONS.sub("", text), encoding="utf-8")
    for folder in html.glob("_static/vendor/fontawesome/*/js"):
        shutil.rmtree(folder)


def _paths(html: Path) -> list[Path]:
    root = html.resolve()
    pages = (path.relative_to(root) for path in sorted(root.rglob("*.html")))
    return [root / page for page in pages if not page.parts[0].startswith("_")]


def _host(address: str) -> bool:
    """Whether an address is on another host."""
    parts = urlsplit(address)
    return bool(parts.netloc) and parts.scheme in ("", "http", "https")


def _local(address: str) -> bool:
    return not urlsplit(address).scheme and not _host(address)


def _exists(page: _Page, address: str, pages: dict[Path, _Page]) -> bool:
    target, fragment = page.target(address), urlsplit(address).fragment
    known = not fragment or target not in pages or fragment in pages[target].targets
    return target.is_file() and known
