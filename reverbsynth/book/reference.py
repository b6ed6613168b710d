"""The reference pages: every setting, and every public name, which Sphinx's autodoc fills in."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from pydantic import BaseModel

from reverbsynth.effects import kinds
from reverbsynth.files.atomic import write_text
from reverbsynth.settings import Settings, presets

PACKAGE = Path(__file__).resolve().parents[1]

_PACKAGES = ("data", "spectra", "training", "instrument", "evaluation", "book")
PARTS = {
    "Settings and errors": ("settings", "errors", "seeds", "progress", "provenance", "files"),
    "Sound": ("audio", "effects"),
    "Networks": ("gan",),
    **{package.title(): (package,) for package in _PACKAGES},
}
"""Pages of the reference, and the modules and packages that each holds."""

_PAGE = Template(Path(__file__).with_name("settings_page.md").read_text(encoding="utf-8"))
_TYPES = {"string": "text", "boolean": "yes or no", "object": "mapping"}
_BOUNDS = {"exclusiveMinimum": "above", "minimum": "from"}
_BOUNDS |= {"exclusiveMaximum": "below", "maximum": "to"}


def write_reference(source: Path) -> None:
    """Write ``reference/settings.md`` and one page for each part into an assembled book."""
    folder = source / "reference"
    write_text(folder / "settings.md", settings_page())
    for title in PARTS:
        write_text(folder / f"{title.lower().replace(' ', '-')}.md", api_page(title))


def settings_page() -> str:
    """The settings tree as a page: each setting's type, default, meaning and value by preset."""
    tree = Settings.model_json_schema()
    values = {name: Settings.preset(name).model_dump(mode="json") for name in presets()}
    lines = []
    for kind, effect in kinds().items():
        model = effect.model_json_schema()
        model["properties"].pop("name", None)
        lines += [f"### {kind}", "", _summary(model), "", *_rows(model["properties"], {})]
    groups = _group(tree, tree, "", values)
    return _PAGE.substitute(tree="\n".join(groups), effects="\n".join(lines))


def api_page(title: str) -> str:
    """The modules of a part, for autodoc to fill with their public names."""
    lines = [f"# {title}", ""]
    for part in PARTS[title]:
        for file in sorted((PACKAGE / part).rglob("*.py")) or [PACKAGE / f"{part}.py"]:
            parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
            module = ".".join(parts).removesuffix(".__init__")
            lines += [f"## `{module}`", "", "```{eval-rst}", f".. automodule:: {module}"]
            lines += ["   :members:", "   :no-value:", "```", ""]
    return "\n".join(lines)


def setup(app: Any) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-signature", _shorten_signature)
    app.connect("missing-reference", _link_anywhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _group(tree: dict, model: dict, path: str, values: Mapping[str, dict]) -> Iterator[str]:
    """The settings of a group, then each group inside it under its own heading."""
    properties = model["properties"]
    # A group of the same kind again, such as the parts of a chain, is a row.
    inside = {k: [m for m in _models(tree, v) if m is not model] for k, v in properties.items()}
    yield from _rows({k: v for k, v in properties.items() if not inside[k]}, values)
    for name, property_ in properties.items():
        for inner in inside[name]:
            place = f"{path}.{name}".strip(".")
            kind = inner["properties"].get("kind", {}).get("const")
            mark = f" (kind: {kind})" if kind else "[]" if property_.get("type") == "array" else ""
            yield from (f"## {place}{mark}", "", _summary(inner), "")
            found = {preset: whole.get(name) for preset, whole in values.items()}
            # A preset whose source is of another kind has no value here.
            same = {p: v for p, v in found.items() if isinstance(v, dict) and v.get("kind") == kind}
            yield from _group(tree, inner, place, same)


def _models(tree: dict, property_: dict) -> list[dict]:
    """The groups that a property of a JSON schema may hold."""
    places = [property_, *property_.get("oneOf", []), *property_.get("allOf", [])]
    places.append(property_.get("items", {}))
    return [tree["$defs"][p["$ref"].rpartition("/")[2]] for p in places if "$ref" in p]


def _rows(properties: Mapping[str, dict], values: Mapping[str, dict]) -> list[str]:
    """A table with a row for each property."""
    rows = ["| setting | type | default | meaning | presets |", "|---|---|---|---|---|"]
    for name, property_ in properties.items():
        default = property_.get("default", property_.get("const"))
        required = not {"default", "const"} & set(property_)
        shown = "none: it must be given" if required else _code(default)
        meaning = " ".join(property_.get("description", "").split())
        set_by = {preset: group.get(name, default) for preset, group in values.items()}
        differing = [f"{p}: {_code(value)}" for p, value in set_by.items() if value != default]
        cells = (f"`{name}`", _type(property_), shown, meaning, ", ".join(differing))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*rows, ""] if properties else []


def _type(property_: dict) -> str:
    """The type of a JSON schema's property in words: ``integer from 2``."""
    if "anyOf" in property_:
        return " or ".join(map(_type, property_["anyOf"]))
    if "enum" in property_ or "const" in property_:
        return " or ".join(map(_code, property_.get("enum", [property_.get("const")])))
    if "prefixItems" in property_:
        kinds_of = list(map(_type, property_["prefixItems"]))
        return f"{len(kinds_of)} of: {' and '.join(dict.fromkeys(kinds_of))}"
    if (kind := property_.get("type", "anything")) == "array":
        return f"list of {_type(property_.get('items', {}))}"
    text = "path" if property_.get("format") == "path" else _TYPES.get(kind, kind)
    bounds = (f"{word} {property_[key]:,}" for key, word in _BOUNDS.items() if key in property_)
    return " ".join([text, *bounds])


def _code(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _summary(model: dict) -> str:
    """A model's docstring up to its first blank line, with RST's literals as Markdown's."""
    text = model.get("description", "").partition("\n\n")[0]
    return " ".join(text.replace("``", "`").split())


def _shorten_signature(app: Any, what: str, name: str, documented: Any, *_: Any) -> Any:
    """Leave out the signature of settings: their page lists them."""
    is_settings = isinstance(documented, type) and issubclass(documented, BaseModel)
    return ("", "") if is_settings else None


def _link_anywhere(app: Any, env: Any, node: Any, contents: Any) -> Any:
    """Link a name in single backticks to the one thing of that name; others stay code."""
    from sphinx.util.nodes import make_refnode

    if node.get("reftype") != "obj":
        return None
    name, near = node["reftarget"], (node.get("py:module"), node.get("py:class"))
    for target in (name, name.rpartition(".")[2] if name.startswith("reverbsynth.") else name):
        found = env.get_domain("py").find_obj(env, *near, target, "obj", searchmode=1)
        if len(found) == 1:
            full, entry = found[0]
            place = (node["refdoc"], entry.docname, entry.node_id)
            return make_refnode(app.builder, *place, contents, full)
    return contents
