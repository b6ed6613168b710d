"""Make rendered pages lighter, and check that with the network unplugged nothing is missing."""

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
# The attribute that says what an element is to those who cannot see it, and the fault without it.
_NAMED = {
    "img": ("alt", "picture {} has no alternative text"),
    "audio": ("aria-label", "player {} has no aria-label"),
}
# Relations of a link that only name another page.
_NOT_FETCHED = {"canonical", "prev", "next", "index", "search", "author", "license"}
# The theme's icons as a script: they come as a font too, in a tenth of the size.
_ICONS = re.compile(r"<script[^>]*/fontawesome/[^>]*></script>\s*")


class _Page(HTMLParser):
    """What a page loads, at once or when asked, its links and targets, and what lacks a text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.targets = path, set[str]()
        self.loaded, self.waiting, self.linked, self.nameless = (list[str]() for _ in range(4))
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.targets.add(given["id"])
        if tag == "a" and "href" in given:
            self.linked.append(given["href"])
        if tag in _NAMED and not given.get(_NAMED[tag][0]):
            self.nameless.append(_NAMED[tag][1].format(given.get("src", "?")))
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
    """Count the pages under a folder; raise the first of `page_faults`, and print all of them."""
    if faults := page_faults(html):
        if console is not None:
            console.print("\n".join(faults), markup=False, highlight=False, soft_wrap=True)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ReverbSynthError(f"{html}: {faults[0]}{more}")
    return len(_paths(html))


def page_faults(html: Path) -> list[str]:
    """What is wrong with the pages under a folder: what is loaded from another host, local files
    and targets that do not exist, pictures and players without a text, too heavy pages.
    """
    pages = {path: _Page(path) for path in _paths(html)}
    faults: list[str] = []
    for path, page in pages.items():
        fetched = [*page.loaded, *page.waiting]
        elsewhere = [address for address in fetched if urlsplit(address).netloc]
        found = [*page.nameless, *(f"loads {address} from another host" for address in elsewhere)]
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


def _local(address: str) -> bool:
    parts = urlsplit(address)
    return not (parts.scheme or parts.netloc)


def _exists(page: _Page, address: str, pages: dict[Path, _Page]) -> bool:
    target, fragment = page.target(address), urlsplit(address).fragment
    if not fragment or target not in pages:
        return target.is_file()
    # Browsers look for it as it is written, then decoded.
    return not pages[target].targets.isdisjoint((fragment, unquote(fragment)))
