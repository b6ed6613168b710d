"""The reference pages of the book: every setting, and every public name of the library.

Both are generated, the one from the settings tree and the presets, the other from docstrings. This
module is also the Sphinx extension that makes links of the names in docstrings.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from reverbsynth.effects import kinds
from reverbsynth.files.atomic import write_text
from reverbsynth.settings import Settings, presets

PACKAGE = Path(__file__).resolve().parents[1]

PARTS = {
    "Settings and errors": ("settings", "errors", "seeds", "progress", "provenance", "files"),
    "Sound": ("audio", "effects"),
    "Data": ("data",),
    "Spectra": ("spectra",),
    "Networks": ("gan",),
    "Training": ("training",),
    "Instrument": ("instrument",),
    "Evaluation": ("evaluation",),
    "Book": ("book",),
}
"""Pages of the reference, and the modules and packages that each holds."""

_SOURCES = {"SoundFontSource": "soundfont", "NSynthSource": "nsynth", "FolderSource": "folder"}
_NAME = re.compile(r"(?<![`:\\])`([A-Za-z_][\w.]*)`(?![`_])")


def write_reference(source: Path) -> None:
    """Write the pages into an assembled book: ``reference/settings.md`` and one page a part."""
    folder = source / "reference"
    write_text(folder / "settings.md", settings_page())
    for title in PARTS:
        write_text(folder / f"{page_name(title)}.md", api_page(title))


def page_name(title: str) -> str:
    """A part's title as a file's name."""
    return title.lower().replace(" ", "-")


def settings_page() -> str:
    """The settings tree as a page: each setting's type, default, meaning and value by preset."""
    tree = Settings.model_json_schema()
    shipped = {name: Settings.preset(name).model_dump(mode="json") for name in presets()}
    lines = [
        "# Settings",
        "",
        "Every setting there is, generated from the settings tree. Set one with",
        '`--set training.batch=16` on the command line, `overrides = {"training.batch": 16}` in a',
        "notebook, or in a file that names the preset it starts from as `base`. A preset is listed",
        "where its value is not the default.",
        "",
    ]
    lines += ["## The tree", ""]
    lines += _rows(_plain(tree["properties"]), "", shipped)
    for path, model in _sections(tree, tree["properties"], ""):
        lines += [f"## {path}", "", _first_line(model), ""]
        lines += _rows(_plain(model["properties"]), path, shipped)
    lines += ["## Parameters of the effects", ""]
    lines += ["The `parameters` of an entry of `data.effects`, by its `kind`.", ""]
    for kind, effect in kinds().items():
        model = effect.model_json_schema()
        properties = {name: each for name, each in model["properties"].items() if name != "name"}
        lines += [f"### {kind}", "", _first_line(model), ""]
        lines += _rows(properties, "", {})
    return "\n".join(lines) + "\n"


def api_page(title: str) -> str:
    """The public names of a part, module by module, for Sphinx to fill from their docstrings."""
    lines = [f"# {title}", ""]
    for module in _modules(PARTS[title]):
        names = public_names(module)
        lines += [f"## `{module}`", "", "```{eval-rst}", f".. automodule:: {module}"]
        lines += [f"   :members: {', '.join(names)}", "   :no-value:"] if names else []
        lines += ["```", ""]
    return "\n".join(lines)


@cache
def public_names(module: str) -> tuple[str, ...]:
    """Documented public functions, classes and constants of a module, in their order."""
    body = ast.parse(_file(module).read_text(encoding="utf-8")).body
    names = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            names.append(node.name)
        elif isinstance(node, ast.Assign) and _is_text(after):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return tuple(name for name in names if not name.startswith("_"))


def setup(app: Any) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", _numpy_style)
    app.connect("autodoc-process-docstring", _link_names)
    app.connect("autodoc-process-signature", _shorten_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _sections(tree: dict, properties: dict, path: str) -> Iterator[tuple[str, dict]]:
    """Every group of settings below the root, by its dotted path."""
    for name, each in properties.items():
        for reference in _references(each):
            model = tree["$defs"][reference]
            place = f"{path}.{name}".strip(".")
            if reference in _SOURCES:
                place += f" (kind: {_SOURCES[reference]})"
            elif each.get("type") == "array":
                place += "[]"
            yield place, model
            yield from _sections(tree, model["properties"], place)


def _references(property_: dict) -> list[str]:
    found = [property_, *property_.get("oneOf", []), *property_.get("allOf", [])]
    found.append(property_.get("items", {}))
    return [each["$ref"].rpartition("/")[2] for each in found if "$ref" in each]


def _plain(properties: dict) -> dict:
    """Settings that hold a value, not a group of others."""
    return {name: each for name, each in properties.items() if not _references(each)}


def _rows(properties: Mapping[str, dict], path: str, shipped: Mapping[str, dict]) -> list[str]:
    rows = ["| setting | type | default | meaning | presets |", "|---|---|---|---|---|"]
    for name, each in properties.items():
        default = each.get("default", each.get("const"))
        differing = []
        for preset, values in shipped.items():
            found = _value(values, path, name)
            if found is not _MISSING and found != default:
                differing.append(f"{preset}: {_code(found)}")
        meaning = each.get("description", "")
        shown = _code(default) if {"default", "const"} & set(each) else "none: it must be given"
        cells = (f"`{name}`", _kind(each), shown, meaning, ", ".join(differing))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*rows, ""] if len(rows) > 2 else []


_MISSING = object()


def _value(values: dict, path: str, name: str) -> Any:
    """A preset's value, or `_MISSING` where its source is of another kind or it is a list's."""
    place, _, kind = path.removesuffix(")").partition(" (kind: ")
    for part in filter(None, place.split(".")):
        values = values.get(part) if isinstance(values, dict) else None
    if not isinstance(values, dict) or (kind and values.get("kind") != kind):
        return _MISSING
    return values.get(name, _MISSING)


def _kind(property_: dict) -> str:
    """A type in words: from a JSON schema's property."""
    if "anyOf" in property_:
        return " or ".join(_kind(each) for each in property_["anyOf"])
    if "enum" in property_:
        return " or ".join(map(_code, property_["enum"]))
    if "const" in property_:
        return _code(property_["const"])
    kind = property_.get("type", "anything")
    words = {"integer": "integer", "number": "number", "string": "text", "boolean": "yes or no"}
    if kind == "array":
        if "prefixItems" in property_:
            kinds_of = list(map(_kind, property_["prefixItems"]))
            return f"{len(kinds_of)} of: {' and '.join(dict.fromkeys(kinds_of))}"
        return f"list of {_kind(property_.get('items', {}))}"
    if kind == "object":
        return "mapping"
    if kind == "null":
        return "null"
    text = "path" if property_.get("format") == "path" else words.get(kind, kind)
    bounds = {
        "exclusiveMinimum": "above",
        "minimum": "from",
        "exclusiveMaximum": "below",
        "maximum": "to",
    }
    return " ".join(
        [text, *(f"{word} {property_[key]:,}" for key, word in bounds.items() if key in property_)]
    )


def _code(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _first_line(model: dict) -> str:
    """A model's docstring up to its first blank line, with RST's literals as Markdown's."""
    text = model.get("description", "").partition("\n\n")[0]
    return " ".join(text.replace("``", "`").split())


def _modules(parts: Iterable[str]) -> Iterator[str]:
    """Names of modules, packages opened up, that document something."""
    for part in parts:
        path = PACKAGE / part
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        for file in files:
            names = file.relative_to(PACKAGE.parent).with_suffix("").parts
            module = ".".join(names).removesuffix(".__init__")
            # One of the two exists for one backend only.
            if not module.endswith(".step_jax"):
                yield module


def _file(module: str) -> Path:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _is_text(node: ast.AST | None) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@cache
def _known() -> dict[str, set[str]]:
    """Full names of all that the reference holds, by their last parts: a function, a method."""
    known: dict[str, set[str]] = {}
    for module in _modules(part for parts in PARTS.values() for part in parts):
        known.setdefault(module, set()).add(module)
        public = public_names(module)
        for node in ast.parse(_file(module).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name in public:
                for each in node.body:
                    if (
                        isinstance(each, ast.FunctionDef)
                        and ast.get_docstring(each)
                        and not each.name.startswith("_")
                    ):
                        full = f"{module}.{node.name}.{each.name}"
                        known.setdefault(f"{node.name}.{each.name}", set()).add(full)
        for name in public:
            known.setdefault(name, set()).add(f"{module}.{name}")
    return known


def _numpy_style(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Sections of docstrings as fields. Those of values have none, and colons of their own."""
    from sphinx.ext.napoleon import Config, NumpyDocstring

    if what in ("attribute", "data", "property"):
        return
    # Types are prose, with shapes and units: they are no links.
    style = Config(
        napoleon_google_docstring=False,
        napoleon_use_param=False,
        napoleon_use_rtype=False,
        napoleon_custom_sections=[("Attributes", "params_style")],
    )
    lines[:] = NumpyDocstring(lines, style, app, what, name, thing, options).lines()


def _link_names(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Make links of names in single backticks that the reference holds, literals of the rest."""
    home = getattr(thing, "__module__", None) or name
    place = name.split(".")

    def linked(match: re.Match) -> str:
        text = match[1]
        for scope in range(len(place), 0, -1):
            full = ".".join([*place[:scope], text])
            if any(full in names for names in _known().values()):
                return f":py:obj:`{text} <{full}>`"
        parts = text.split(".")
        for key in (text, ".".join(parts[-2:]), parts[-1]):
            names = _known().get(key, set())
            own = [full for full in names if full.startswith(home)]
            if len(names) == 1 and (len(parts) == 1 or parts[0] in ("reverbsynth", parts[-2])):
                return f":py:obj:`{text} <{next(iter(names))}>`"
            if own:
                return f":py:obj:`{text} <{own[0]}>`"
        return f"``{text}``"

    lines[:] = [_NAME.sub(linked, line) for line in lines]


def _shorten_signature(
    app: Any, what: str, name: str, thing: Any, options: Any, signature: str, returned: str
) -> tuple[str, str] | None:
    """Leave out the signature of settings: their page lists them."""
    if isinstance(thing, type) and issubclass(thing, BaseModel):
        return "", ""
    return None
