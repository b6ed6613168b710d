"""Check that rendered pages are whole: with the network unplugged, nothing may be missing."""

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

_NOT_FETCHED = {"canonical", "prev", "next", "index", "search", "author", "license"}
"""Relations of a ``link`` that only name another page."""


class _References(HTMLParser):
    """What a page loads, what it links to, its targets, and pictures without an alternative."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.targets: set[str] = set()
        self.no_alt: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.targets.add(found["id"])
        if tag == "a" and "href" in found:
            self.linked.append(found["href"])
        if tag == "img" and not found.get("alt"):
            self.no_alt.append(found.get("src", "?"))
        if tag == "link" and set(found.get("rel", "").split()) & _NOT_FETCHED:
            return
        self.loaded += [found[name] for name in found if (tag, name) in _LOADED]


def check_pages(html: Path) -> int:
    """Check every page under `html`.

    Nothing is loaded from another host, every local file and target that a page refers to exists,
    and every picture has an alternative text.

    Returns
    -------
    int
        The number of pages.

    Raises
    ------
    ReverbSynthError
        With the first fault and the number of faults.
    """
    pages = {
        path: _parsed(path)
        for path in sorted(html.resolve().rglob("*.html"))
        if not path.relative_to(html.resolve()).parts[0].startswith("_")
    }
    faults: list[str] = []
    for path, page in pages.items():
        name = path.relative_to(html.resolve())
        faults += [f"{name}: picture {source} has no alternative text" for source in page.no_alt]
        elsewhere = [address for address in page.loaded if _host(address)]
        faults += [f"{name}: loads {address} from another host" for address in elsewhere]
        for address in [*page.loaded, *page.linked]:
            if urlsplit(address).scheme or _host(address):
                continue
            if not _exists(path, address, pages):
                faults.append(f"{name}: refers to {address}, which does not exist")
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ReverbSynthError(f"{html}: {faults[0]}{more}")
    return len(pages)


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
