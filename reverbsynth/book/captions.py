"""Captioned figures and tables, each with a line that says what it was made from."""

import html
import io
import math
import numbers
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from reverbsynth.book.players import MEDIA, Players, Sound, address
from reverbsynth.book.style import style
from reverbsynth.book.workspace import SMOKE_PRESETS, Workspace
from reverbsynth.files.atomic import atomic_path, write_text
from reverbsynth.provenance import commit, commit_address
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run

_LONG_WORD = 40
"""Characters of a word that a table may break: a checksum."""


@dataclass(frozen=True)
class Origin:
    """Where a figure's numbers come from.

    Attributes
    ----------
    run
        Name of the run's directory; None for what is drawn from data or formulas alone.
    preset
        Name of the settings.
    settings_hash
        Hash of the settings.
    commit
        Commit that made the run or the data.
    settings
        All of the settings, as YAML.
    """

    run: str | None
    preset: str
    settings_hash: str
    commit: str
    settings: str

    @classmethod
    def of(cls, thing: "Run | Workspace | Settings | Origin") -> "Origin":
        """The origin of what is drawn from a run, a workspace's data, or settings alone."""
        if isinstance(thing, Origin):
            return thing
        if isinstance(thing, Run):
            manifest = thing.manifest
            return cls(
                thing.directory.name,
                manifest["preset"],
                manifest["settings_hash"],
                manifest["commit"],
                thing.settings.to_yaml(),
            )
        if isinstance(thing, Settings):
            return cls(None, thing.name, thing.hash, commit(), thing.to_yaml())
        settings, made_at = thing.data_settings, thing.data.manifest["commit"]
        # Published results keep the hash that they were made with.
        own = thing.given_run is not None and settings is thing.settings
        name = thing.run.manifest["settings_hash"] if own else settings.hash
        return cls(None, settings.name, name, made_at, settings.to_yaml())

    @property
    def line(self) -> str:
        """The provenance line."""
        return self._line(self.settings_hash, str)

    @property
    def html(self) -> str:
        """The provenance line with links to the settings, beside the page, and to the commits."""
        # On Colab a page cannot reach files.
        shown = html.escape(self.settings_hash)
        if "google.colab" not in sys.modules:
            path = MEDIA / f"settings-{self.settings_hash}.yaml"
            write_text(path, self.settings)
            shown = f'<a href="{path.as_posix()}" type="text/yaml">{shown}</a>'
        return self._line(shown, _commit_link)

    def _line(self, settings: str, revision: Callable[[str], str]) -> str:
        parts = [
            f"Run {html.escape(self.run)}" if self.run else "No training run",
            f"preset {self.preset}",
            f"settings {settings}",
            f"commit {revision(self.commit)}",
        ]
        if self.commit != commit():
            parts.append(f"drawn at commit {revision(commit())}")
        line = " · ".join(parts) + "."
        if self.preset in SMOKE_PRESETS:
            line += " A smoke run, not a result."
        return line


class Captioned:
    """A figure or table with its caption, as HTML that needs no kernel and no other host.

    Parameters
    ----------
    content : str
        HTML.
    caption : str
        ``**bold**`` is understood.
    origin : Origin
    name : str
        The link target.
    """

    def __init__(self, content: str, caption: str, origin: Origin, name: str):
        self._html = (
            f'<figure class="rs-figure" id="{name}">{content}'
            f"<figcaption>{_caption(caption)} "
            f'<small class="rs-origin">{origin.html}</small></figcaption></figure>'
        )
        self._text = f"{caption} {origin.line}"

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._text


def show(
    figure: Figure,
    caption: str,
    source: Run | Workspace | Settings,
    name: str,
    alt: str,
    sounds: list[Sound] | None = None,
    sounds_name: str | None = None,
    columns: int | None = None,
) -> Captioned:
    """A figure with a caption, its provenance, and players under it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    caption : str
        Begins with the figure's number; ``**bold**`` is understood.
    source : Run, Workspace or Settings
        What the numbers come from.
    name : str
        Names the file and the link target; unique within the book.
    alt : str
        What one who cannot see the picture should know.
    sounds : list of Sound, optional
        Played under the picture, left to right.
    sounds_name : str, optional
        Names their files, where several figures show the same sounds; unset: `name`.
    columns : int, optional
        Players side by side; unset: all.
    """
    origin = Origin.of(source)
    image = picture(figure, name, caption, origin, alt)
    players = Players(sounds_name or name, sounds, columns)._repr_html_() if sounds else ""
    return Captioned(image + players, caption, origin, name)


def picture(figure: Figure, name: str, caption: str, origin: Origin, alt: str) -> str:
    """Write a figure's file, which carries caption and provenance, and return the page's part."""
    path = MEDIA / f"{name}.png"
    _save(figure, path, {"Title": _plain(caption), "Source": origin.line})
    width, height = figure.get_size_inches()
    return (
        f'<div class="rs-scroll"><img src="{address(path, "image/png")}" alt="{html.escape(alt)}" '
        f'loading="lazy" width="{round(width * 100)}" height="{round(height * 100)}"></div>'
    )


def table(
    frame: pd.DataFrame,
    caption: str,
    source: Run | Workspace | Settings | Origin,
    name: str,
    digits: int = 2,
) -> Captioned:
    """A table with a caption and its provenance; numbers are rounded to `digits`."""
    if frame.index.name is not None:
        frame = frame.reset_index()
    numeric = [pd.api.types.is_numeric_dtype(frame[column]) for column in frame.columns]
    head = "".join(map(_cell, frame.columns, numeric, ["th"] * len(numeric)))
    rows = (
        "".join(
            _cell(_number(value, digits), right) for value, right in zip(row, numeric, strict=True)
        )
        for row in frame.itertuples(index=False)
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    content = (
        '<div class="rs-scroll"><table class="rs-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return Captioned(content, caption, Origin.of(source), name)


def _save(figure: Figure, path: Path, metadata: dict[str, str]) -> None:
    """Write a figure as PNG with its metadata, in 255 colours: a third of the size."""
    drawn = io.BytesIO()
    with style():
        figure.savefig(drawn, format="png")
    told = PngInfo()
    for name, value in metadata.items():
        told.add_itxt(name, value)
    with Image.open(drawn) as picture, atomic_path(path) as temporary:
        few = picture.convert("RGB").quantize(255, dither=Image.Dither.NONE)
        few.save(temporary, pnginfo=told, optimize=True)


def _commit_link(revision: str) -> str:
    address_of = commit_address(revision)
    shown = html.escape(revision)
    return f'<a href="{address_of}">{shown}</a>' if address_of else shown


def _cell(value: str, right: bool, tag: str = "td") -> str:
    text = str(value).strip()
    long = max(map(len, text.split()), default=0) > _LONG_WORD
    kind = ' class="rs-number"' if right else ' class="rs-long"' if long else ""
    return f"<{tag}{kind}>{html.escape(text)}</{tag}>"


def _number(value: object, digits: int) -> str:
    if isinstance(value, numbers.Integral):
        return f"{value:,}"
    if isinstance(value, numbers.Real):
        return "" if math.isnan(value) else f"{value:,.{digits}f}"
    return str(value)


def _caption(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(text, quote=False))


def _plain(text: str) -> str:
    return text.replace("**", "")


def facts_table(facts: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"": list(facts), " ": list(facts.values())})


def listed(words: Sequence[str]) -> str:
    words = list(map(str, words))
    if len(words) < 2:
        return "".join(words) or "none"
    return ", ".join(words[:-1]) + " and " + words[-1]
