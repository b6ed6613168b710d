"""Captioned figures and tables, each with a line that says what it was made from."""

import html
import io
import math
import numbers
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Union

import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure
from PIL import Image, ImageColor
from PIL.PngImagePlugin import PngInfo

from reverbsynth.book.players import MEDIA, Players, Sound, address
from reverbsynth.book.style import INK, style
from reverbsynth.book.workspace import SMOKE_PRESETS, Workspace
from reverbsynth.files.atomic import atomic_path, write_text
from reverbsynth.files.png import png
from reverbsynth.provenance import REPOSITORY, commit
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run

Source = Union[Run, Workspace, Settings, "Origin"]  #: what a figure's numbers come from
_LONG_WORD = 40  # characters of a word that a table may break: a checksum
FOLDED = (
    '<details class="rs-origin"><summary title="Where this comes from" '
    'aria-label="Where this comes from">i</summary><small>{}</small></details>'
)


@dataclass(frozen=True)
class Origin:
    """Where a figure's numbers come from: the run's name, None for what is drawn from data or
    formulas alone; name, hash and YAML of the settings; the commit that made the run or the data.
    """

    run: str | None
    preset: str
    settings_hash: str
    commit: str
    settings: str

    @classmethod
    def of(cls, source: Source) -> "Origin":
        """The origin of what is drawn from a run, a workspace's data, or settings alone."""
        if isinstance(source, Origin):
            return source
        if isinstance(source, Run):
            made = source.manifest
            facts = (made["preset"], made["settings_hash"], made["commit"])
            return cls(source.directory.name, *facts, source.settings.to_yaml())
        if isinstance(source, Settings):
            return cls(None, source.name, source.hash, commit(), source.to_yaml())
        settings, made_at = source.data_settings, source.data.manifest["commit"]
        # Published results keep the hash that they were made with.
        own = source.given_run is not None and settings is source.settings
        settings_hash = source.run.manifest["settings_hash"] if own else settings.hash
        return cls(None, settings.name, settings_hash, made_at, settings.to_yaml())

    @property
    def line(self) -> str:
        """The provenance line."""
        return self._line(self.settings_hash, str)

    @property
    def html(self) -> str:
        """The provenance line with links to the settings, beside the page, and to the commits."""
        shown = html.escape(self.settings_hash)
        # Colab's pages cannot reach files; of an old measurement the settings may not be kept.
        if self.settings and "google.colab" not in sys.modules:
            path = MEDIA / f"settings-{self.settings_hash}.yaml"
            write_text(path, self.settings)
            shown = f'<a href="{path.as_posix()}" type="text/yaml">{shown}</a>'
        return self._line(shown, commit_link)

    def _line(self, settings: str, show_commit: Callable[[str], str]) -> str:
        run = f"Run {html.escape(self.run)}" if self.run else "No training run"
        line = f"{run} · preset {self.preset} · settings {settings}"
        line += f" · commit {show_commit(self.commit)}"
        if self.commit != commit():
            line += f" · drawn at commit {show_commit(commit())}"
        return f"{line}.{' A smoke run, not a result.' if self.preset in SMOKE_PRESETS else ''}"


class Captioned(HTML):
    """A figure or table as HTML, with a caption and ``name`` as the link target.

    The caption may have ``**bold**`` and code in backticks.
    """

    def __init__(self, content: str, caption: str, origin: Origin, name: str):
        words = html.escape(caption, quote=False)
        words = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", words)
        words = re.sub(r"`(.+?)`", r"<code>\1</code>", words)
        shown = f'<span class="rs-caption">{words} {FOLDED.format(origin.html)}</span>'
        if "<caption>" in content:  # a table has its caption in it
            content = content.replace("<caption>", f"<caption>{shown}", 1)
        else:
            content += f"<figcaption>{shown}</figcaption>"
        super().__init__(f'<figure class="rs-figure" id="{name}">{content}</figure>')
        self._text = f"{caption} {origin.line}"

    def __repr__(self) -> str:
        return self._text


def show(
    figure: Figure,
    caption: str,
    source: Source,
    name: str,
    alt: str,
    sounds: Sequence[Sound] = (),
    columns: int | None = None,
) -> Captioned:
    """A figure with a caption, its provenance, and players under it, ``columns`` side by side.

    ``name`` names the files and the link target, unique within the book; ``alt`` says what one who
    cannot see the picture should know.
    """
    origin = Origin.of(source)
    players = Players(name, sounds, columns).data
    return Captioned(picture(figure, name, caption, origin, alt) + players, caption, origin, name)


def picture(figure: Figure, name: str, caption: str, origin: Origin, alt: str) -> str:
    """Write a figure's PNG, which carries caption and provenance, and return its HTML."""
    path, drawn, facts = MEDIA / f"{name}.png", io.BytesIO(), PngInfo()
    facts.add_itxt("Title", caption.replace("**", ""))
    facts.add_itxt("Source", origin.line)
    with style():
        figure.savefig(drawn)
    with Image.open(drawn) as image, atomic_path(path) as temporary:
        reduced, opacities = _with_few_colours(image.convert("RGBA"))
        temporary.write_bytes(png(reduced, pnginfo=facts, optimize=True, transparency=opacities))
    width, height = (round(100 * inches) for inches in figure.get_size_inches())
    kind = "rs-images" if any(ax.images for ax in figure.axes) else "rs-lines"
    return (
        f'<div class="rs-scroll"><img class="{kind}" src="{address(path, "image/png")}" '
        f'alt="{html.escape(alt)}" loading="lazy" width="{width}" height="{height}"></div>'
    )


def _with_few_colours(image: Image.Image) -> tuple[Image.Image, bytes]:
    """A picture in 240 opaque colours and 16 opacities of `INK`, a third of the size, and these."""
    opacity = np.asarray(image.getchannel("A"))
    opaque = Image.new("RGB", image.size, "white")
    opaque.paste(image, mask=image.getchannel("A"))
    reduced = opaque.quantize(240, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    numbers = np.where(opacity < 255, 240 + opacity // 17, np.asarray(reduced)).astype(np.uint8)
    colours = [*(reduced.getpalette() or []), *[0] * 768][:720] + [*ImageColor.getrgb(INK)] * 16
    result = Image.fromarray(numbers, "P")
    result.putpalette(colours)
    return result, bytes([*[255] * 240, *(17 * step for step in range(16))])


def table(
    frame: pd.DataFrame, caption: str, source: Source, name: str, digits: int = 2
) -> Captioned:
    """A table with a caption and its provenance; numbers are rounded to ``digits``."""
    if frame.index.name is not None:
        frame = frame.reset_index()
    numeric = list(map(pd.api.types.is_numeric_dtype, frame.dtypes))

    def row(values: Iterable[object], first: str, others: str) -> str:
        named = zip(values, numeric, [first, *[others] * len(numeric)], strict=False)
        return f"<tr>{''.join(_cell(*each, digits) for each in named)}</tr>"

    head = row(map(str, frame.columns), "col", "col")
    body = "".join(row(values, "row", "") for values in frame.itertuples(index=False))
    content = f"<caption></caption><thead>{head}</thead><tbody>{body}</tbody>"
    content = f'<div class="rs-scroll"><table class="rs-table">{content}</table></div>'
    return Captioned(content, caption, Origin.of(source), name)


def listed(words: Sequence[object]) -> str:
    """Words as they stand in a sentence: ``a, b and c``."""
    *most, last = map(str, words or ["none"])
    return f"{', '.join(most)} and {last}" if most else last


def commit_link(revision: str) -> str:
    """A commit with a link to its web page, where it is known."""
    clean, shown = revision.removesuffix("+"), html.escape(revision)
    return shown if clean == "unknown" else f'<a href="{REPOSITORY}/commit/{clean}">{shown}</a>'


def _cell(value: object, right: bool, scope: str, digits: int) -> str:
    if isinstance(value, numbers.Real):
        places = 0 if isinstance(value, numbers.Integral) else digits
        value = "" if math.isnan(value) else f"{value:,.{places}f}"
    text = re.sub(r"(\[\S+,) (?=\S+\])", "\\1\u00a0", str(value).strip())  # intervals stay whole
    text = re.sub(r"(\(\S+) to (?=\S+\))", "\\1\u00a0to\u00a0", text)
    long = max(map(len, text.split()), default=0) > _LONG_WORD
    kind = ' class="rs-number"' if right else ' class="rs-long"' if long else ""
    if not scope:
        return f"<td{kind}>{html.escape(text)}</td>"
    return f'<th scope="{scope}"{kind}>{html.escape(text)}</th>'
