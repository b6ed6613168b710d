"""A picture of the packages, made from their imports: who may use whom, and how large each is."""

import re
from graphlib import TopologicalSorter
from pathlib import Path

from matplotlib.patches import FancyBboxPatch

from reverbsynth.book.style import OTHER, canvas, style

PACKAGE = Path(__file__).resolve().parents[1]

ABOUT = {
    "settings": "every setting, presets",
    "audio": "sound without a model",
    "effects": "reverb and others",
    "data": "notes, twins, TFRecord",
    "spectra": "IF-Mel and back",
    "gan": "networks, losses, step",
    "training": "the loop, the run",
    "instrument": "notes, MIDI, keyboard",
    "evaluation": "measures, verdicts",
    "book": "a module a chapter",
    "cli": "a module a command",
}
"""What is in each package, in a few words."""

_WIDTH = 5.0  # inches: narrower than the page, so that the words can be read on a phone
_BASE = "at the bottom"
_IMPORT = re.compile(r"^\s*from reverbsynth\.(\w+)", flags=re.MULTILINE)


def imports() -> dict[str, set[str]]:
    """The packages of `ABOUT` that each of them imports, read from its files."""
    graph = {}
    for room in ABOUT:
        texts = [path.read_text(encoding="utf-8") for path in (PACKAGE / room).rglob("*.py")]
        graph[room] = {name for text in texts for name in _IMPORT.findall(text)} & set(ABOUT)
        graph[room].discard(room)
    return graph


@style()
def draw_rooms(folder: Path) -> None:
    """Write ``rooms.svg``: a box for each package, above all that it imports.

    Lines lead to the packages that a package imports itself and not only by way of others.
    Imports in a circle raise ValueError.
    """
    graph, height = imports(), {_BASE: 0}
    below: dict[str, set[str]] = {}
    for room in TopologicalSorter(graph).static_order():
        height[room] = 1 + max((height[used] for used in graph[room]), default=0)
        below[room] = graph[room].union(*(below[used] for used in graph[room]))
    figure, axes = canvas(1, 1, 0.6 * (max(height.values()) + 1))
    figure.set_figwidth(_WIDTH)
    ax, places = axes[0, 0], dict[str, tuple[float, int]]()
    for level in range(max(height.values()) + 1):
        row = [room for room in (_BASE, *ABOUT) if height[room] == level]
        places |= {room: ((column + 0.5) / len(row), level) for column, room in enumerate(row)}
    for room, (x, y) in places.items():
        box = FancyBboxPatch((x - 0.22, y - 0.26), 0.44, 0.52, "round,pad=0.01")
        box.set(facecolor="white", edgecolor=OTHER[3])
        ax.add_patch(box)
        title = room if room == _BASE else f"{room}: {_lines(room):,} lines"
        ax.text(x, y + 0.1, title, ha="center", va="center", weight="bold")
        about = ABOUT.get(room, "files, errors, provenance")
        ax.text(x, y - 0.13, about, ha="center", va="center", fontsize=8.5)
        used = graph.get(room, set())
        for other in used.difference(*(below[near] for near in used)):
            ax.plot(*zip((x, y), places[other], strict=True), color=OTHER[3], zorder=0)
    ax.set(xlim=(0, 1), ylim=(-0.4, max(height.values()) + 0.4))
    ax.axis("off")
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "rooms.svg")


def _lines(room: str) -> int:
    files = (PACKAGE / room).rglob("*.py")
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
