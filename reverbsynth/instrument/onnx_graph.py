"""Arithmetic that writes an ONNX graph, node by node."""

from functools import partialmethod
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Value:
    """A value in a graph. Arithmetic with it, also of numbers and arrays, adds nodes."""

    __array_ufunc__ = None  # or NumPy would take the arithmetic over

    def __init__(self, graph: "Graph", name: str):
        self.graph, self.name = graph, name

    def op(self, operator: str, *inputs: Any, **attributes: Any) -> "Value":
        """Add a node whose first input is this value."""
        return self.graph.add(operator, self, *inputs, **attributes)

    __add__ = partialmethod(op, "Add")
    __sub__ = partialmethod(op, "Sub")
    __mul__ = partialmethod(op, "Mul")
    __truediv__ = partialmethod(op, "Div")

    def __rsub__(self, other: Any) -> "Value":
        return self.graph.add("Sub", other, self)

    def __rtruediv__(self, other: Any) -> "Value":
        return self.graph.add("Div", other, self)

    def part(self, axis: int, start: int, stop: int, step: int = 1) -> "Value":
        return self.op("Slice", (start,), (stop,), (axis,), (step,))

    def fraction(self) -> "Value":
        return self - self.op("Floor")

    def upscale(self, factor: int, frames: int | None = None) -> "Value":
        """Nearest neighbours; ``frames`` is their own factor. Factors are whole, so either way of
        rounding does the same.
        """
        frames = factor if frames is None else frames
        return self.op(
            "Resize",
            *("", [1, 1, frames, factor]),
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )

    def upscale_in_lines(self, factor: int) -> "Value":
        """`reverbsynth.spectra.scaling.upscale_in_lines`."""
        lines = self.op(
            "Resize",
            *("", [1, 1, factor, 1]),
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        return lines.upscale(factor, frames=1)


class Graph:
    """Nodes and constants as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._names: dict[tuple, str] = {}

    def add(self, operator: str, *inputs: Any, name: str = "", **attributes: Any) -> Value:
        """Add a node with one output: of values, names, tuples of integers, numbers and arrays."""
        output = name or f"{operator}_{len(self.nodes)}"
        named = (x if isinstance(x, Value | str) else self.constant(x) for x in inputs)
        names = [x.name if isinstance(x, Value) else x for x in named]
        self.nodes.append(helper.make_node(operator, names, [output], **attributes))
        return Value(self, output)

    def constant(self, value: Any, kind: type | None = None) -> Value:
        """A constant, added once: integers if it is a tuple, or else float32."""
        kind = kind or (np.int64 if isinstance(value, tuple) else np.float32)
        array: np.ndarray = np.asarray(value, kind)
        key = (array.dtype, array.shape, array.tobytes())
        if key not in self._names:
            self._names[key] = f"constant_{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(array, self._names[key]))
        return Value(self, self._names[key])

    def weight(self, value: np.ndarray, float16: bool, scale: float = 1.0) -> Value:
        """A trained constant. Rounded before it is scaled, as an instrument's float16 file is; the
        runtime folds cast and scale into one float32 constant when it loads the model."""
        if not float16:
            return self.constant(value * np.float32(scale))
        wide = self.constant(value, np.float16).op("Cast", to=TensorProto.FLOAT)
        return wide if scale == 1.0 else wide * scale
