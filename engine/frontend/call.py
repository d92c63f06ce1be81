"""What a layer function sees: one call of one layer, with its inputs, its configuration and its weights."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelFileError, UnsupportedLayerError
from engine.frontend.config import Config
from engine.frontend.dialects import Dialect
from engine.frontend.weights import LayerState
from engine.ir.graph import Operand, Weight
from engine.ir.ops import Op, Shape


class Emitter(Protocol):
    """Whoever collects the operations."""

    shapes: dict[int, Shape]

    def emit(self, op: Op, operands: Sequence[Operand], layer: str) -> int: ...


class Call:
    """One call of a layer. `inputs` are values of the graph; a layer function returns the value or values it makes."""

    def __init__(
        self, layer: LayerState, config: Config, inputs: Sequence[int], dialect: Dialect, emitter: Emitter
    ) -> None:
        self.layer = layer
        self.config = config
        self.inputs = tuple(inputs)
        self.dialect = dialect
        self._emitter = emitter

    @property
    def x(self) -> int:
        """The one input."""
        if len(self.inputs) != 1:
            raise ModelFileError(f"{self.config.where}: expected one input, found {len(self.inputs)}")
        return self.inputs[0]

    def shape(self, value: int) -> Shape:
        """A value's shape, without the batch axis."""
        return self._emitter.shapes[value]

    def rank(self, value: int) -> int:
        """A value's number of axes, without the batch axis."""
        return len(self.shape(value))

    def emit(self, op: Op, *operands: Operand) -> int:
        """Append an operation; its value."""
        return self._emitter.emit(op, operands, self.layer.path)

    def weight(self, name: str, shape: Sequence[int], trainable: bool = True, integer: bool = False) -> Weight:
        """The next of the layer's weights, in Keras's order and shape."""
        return self.layer.weight(name, tuple(shape), trainable, integer)

    def derive(self, name: str, shape: Shape, compute: Callable[[], NDArray[Any]]) -> Weight:
        """A constant that is computed when it is read."""
        return self.layer.derive(name, shape, compute)

    def constant(self, name: str, values: Sequence[float], shape: Shape) -> Weight:
        """A float64 constant from the configuration: one value for all elements, or as many as the last axis."""
        if len(values) not in (1, shape[-1]):
            raise ModelFileError(f"{self.config.where}: {name} has {len(values)} values for an axis of {shape[-1]}")
        return self.derive(name, shape, lambda: np.broadcast_to(np.array(values, np.float64), shape).copy())

    def also(self, config: Mapping[str, Any], class_name: str, x: int) -> "Call":
        """A call of a layer without weights that this layer carries in its configuration, on value `x`."""
        where = f"{self.config.where}: its {class_name}"
        return Call(self.layer, Config(config, where), (x,), self.dialect, self._emitter)

    def refuse(self, why: str) -> UnsupportedLayerError:
        """The error for an option that is not computed."""
        return self.config.refuse(why)
