"""The keyboard of the published page: JavaScript, style and the vendored ONNX Runtime Web.

The sources are JavaScript modules. A page that was opened from a file may not load modules, so the
page gets them joined into one classic script. Of the language's ways to import and export they keep
to ``import { name } from "./file.js"`` and to ``export`` before a function, class or constant.
"""

import gzip
import json
import re
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent

COPIES = {
    "keyboard.css": FOLDER / "keyboard.css",
    "LICENSE-onnxruntime.txt": FOLDER / "vendor" / "LICENSE",
}
"""What a page gets as it is: the style, and the licence that asks to be kept with the runtime."""

_WORKER = ("decode.js", "synthesizer.js")

# In the order of their imports.
_MODULES = (
    *("pitches.js", "elements.js", "assets.js", "latents.js", "conditions.js", "network.js"),
    *("clips.js", "release.js", "voice.js", "wav.js", "midi_file.js", "midi_input.js"),
    *("held_keys.js", "computer_keys.js", "piano.js", "picture.js", "controls.js", "takes.js"),
    "keyboard.js",
)


def script() -> str:
    """The page's script, which holds the worker's as text."""
    return _joined(_MODULES, f"const SYNTHESIZER = {json.dumps(_joined(_WORKER))};")


def page(name: str, **parts: str) -> str:
    """A template of HTML with its parts put in."""
    return Template((FOLDER / name).read_text(encoding="utf-8")).substitute(parts)


def runtime() -> dict[str, bytes]:
    """ONNX Runtime Web, each part compressed by gzip: its script and its WebAssembly."""
    vendor = FOLDER / "vendor"
    return {
        "script": gzip.compress((vendor / "ort.wasm.bundle.min.js").read_bytes(), mtime=0),
        "wasm": (vendor / "ort-wasm-simd-threaded.wasm.gz").read_bytes(),
    }


def _joined(names: tuple[str, ...], first: str = "") -> str:
    """Modules as one classic script, each in a function of its own."""
    modules = "".join(map(_module, names))
    return f'"use strict";\n(() => {{\nconst modules = {{}};\n{first}\n{modules}}})();\n'


def _module(name: str) -> str:
    source = (FOLDER / name).read_text(encoding="utf-8")
    exports = re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", source, re.M)
    body = re.sub(r'(?m)^import (.*) from "\./(.*)";$', r'const \1 = modules["\2"];', source)
    body = re.sub(r"(?m)^export ", "", body)
    return f'modules["{name}"] = (() => {{\n{body}\nreturn {{ {", ".join(exports)} }};\n}})();\n'
