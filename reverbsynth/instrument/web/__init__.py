"""The keyboard of the published page: JavaScript, style and the vendored ONNX Runtime Web."""

from pathlib import Path

FOLDER = Path(__file__).parent

SCRIPTS = ("keyboard.js", "keyboard.css", "synthesizer.js", "decode.js")
"""Written by this project."""

RUNTIME = ("ort.wasm.bundle.min.js", "ort-wasm-simd-threaded.wasm.gz", "LICENSE")
"""Of ONNX Runtime Web; see ``vendor/README.md``."""
