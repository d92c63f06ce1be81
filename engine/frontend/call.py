"""What a layer function sees: one call of one layer, with its inputs, its configuration and its weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelFileError, UnsupportedLayerError
from engine.frontend.config import Config, table
from engine.frontend.dialects import Dialect
from engine.frontend.weights import LayerState
from engine.ir.graph import Operand, Weight
from engine.ir.ops import HostCall, HostFunction, Op, Shape

MAX_TRIED = 1 << 23
"""Numbers that a Python function may be tried on."""


class Emitter(Protocol):
    """Whoever collects the operations. `masks` has a value of ones and zeros for each value that carries a mask.

    `known` has sizes for each value that stands for sizes; `note` makes one.
    """

    shapes: dict[int, Shape]
    masks: dict[int, int]
    known: dict[int, Any]

    def note(self, known: Any) -> int: ...

    def emit(self, op: Op, operands: Sequence[Operand], layer: str) -> int: ...

    def child(self, layer: LayerState, name: str, data: Mapping[str, Any]) -> LayerState: ...

    def run(self, layer: LayerState, inputs: Sequence[int], arguments: Mapping[str, Any]) -> tuple[int, ...]: ...

    def stacked(self, count: int) -> "Emitter": ...


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value of the graph among a call's keyword arguments."""

    value: int


class Call:
    """One call of a layer. `inputs` are values of the graph; a layer function returns the value or values it makes.

    `arguments` are the keyword arguments, in which a `Tensor` stands for a value of the graph.
    """

    def __init__(
        self,
        layer: LayerState,
        config: Config,
        inputs: Sequence[int],
        dialect: Dialect,
        emitter: Emitter,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.layer = layer
        self.config = config
        self.inputs = tuple(inputs)
        self.dialect = dialect
        self.emitter = emitter
        self.masked = False
        self._arguments = dict(arguments or {})
        given = self._arguments.get("mask")
        self._mask = given if isinstance(given, Tensor) else None

    @property
    def x(self) -> int:
        """The one input."""
        if len(self.inputs) != 1:
            raise ModelFileError(f"{self.config.where}: expected one input, found {len(self.inputs)}")
        return self.inputs[0]

    def shape(self, value: int) -> Shape:
        """A value's shape, without the batch axis."""
        return self.emitter.shapes[value]

    def rank(self, value: int) -> int:
        """A value's number of axes, without the batch axis."""
        return len(self.shape(value))

    def emit(self, op: Op, *operands: Operand) -> int:
        """Append an operation; its value."""
        return self.emitter.emit(op, operands, self.layer.path)

    def weight(self, name: str, shape: Sequence[int], trainable: bool = True, integer: bool = False) -> Weight:
        """The next of the layer's weights, in Keras's order and shape."""
        return self.layer.weight(name, tuple(shape), trainable, integer)

    def derive(self, name: str, shape: Shape, compute: Callable[[], NDArray[Any]]) -> Weight:
        """A constant that is computed when it is read."""
        return self.layer.derive(name, shape, compute)

    def host(self, function: HostFunction, shape: Sequence[int] | None, *operands: Operand) -> int:
        """The result of a Python function of arrays: values come as (n, ...), weights as they are.

        The function returns (n, *shape) and must not mix examples. With `shape` None, it is called once on zeros.
        """
        if shape is None:
            shapes = [o.shape if isinstance(o, Weight) else (1, *self.shape(o)) for o in operands]
            table(sum(map(prod, shapes)), MAX_TRIED)
            shape = np.shape(function(*(np.zeros(s, np.float32) for s in shapes)))[1:]
        return self.emit(HostCall(function, tuple(shape)), *operands)

    def constant(self, name: str, values: Sequence[float], shape: Shape) -> Weight:
        """A float64 constant from the configuration: one value for all elements, or as many as the last axis."""
        if not shape or len(values) not in (1, shape[-1]):
            raise ModelFileError(f"{self.config.where}: {name} has {len(values)} values for an axis of {shape[-1:]}")
        return self.derive(name, shape, lambda: np.broadcast_to(np.array(values, np.float64), shape).copy())

    def scalar(self, value: float) -> Weight:
        """A constant of one element, for all places."""
        return self.derive(f"scalar_{value}", (), lambda: np.array(value, np.float64))

    def also(self, config: Mapping[str, Any], class_name: str, x: int) -> "Call":
        """A call of a layer without weights that this layer carries in its configuration, on value `x`."""
        where = f"{self.config.where}: its {class_name}"
        return Call(self.layer, Config(config, where), (x,), self.dialect, self.emitter)

    def argument(self, key: str, default: Any = None) -> Any:
        """A keyword argument of the call; it counts as read."""
        value = self._arguments.pop(key, None)
        return default if value is None else value

    def tensors(self, key: str) -> tuple[int, ...]:
        """The values in a keyword argument, however nested, in order; none where it is absent."""
        return tuple(_values(self.argument(key)))

    def unread_arguments(self) -> dict[str, Any]:
        """Keyword arguments that nobody asked for and that say something.

        In Keras 3, `predict` puts its own `training` in the place of a recorded one; in Keras 2 that one holds.
        """
        said = {k: v for k, v in self._arguments.items() if v is not None}
        if self.dialect.major > 2 or said.get("training") is not True:
            said.pop("training", None)
        return said

    def mask(self, value: int) -> int | None:
        """A value's mask, ones and zeros at the steps that do not count: the call's for its first input, or its own."""
        if self._mask is not None and value in self.inputs[:1]:
            self._arguments.pop("mask", None)
            return self._mask.value
        return self.emitter.masks.get(value)

    def set_mask(self, value: int, mask: int | None) -> None:
        """Let a result carry a mask. Once a layer function has called this, its class's usual rule is not applied."""
        self.masked = True
        if mask is not None:
            self.emitter.masks[value] = mask

    def child(self, name: str, data: Mapping[str, Any]) -> LayerState:
        """A layer inside this one, from its description `{"class_name": ..., "config": ...}`; kept by name."""
        return self.emitter.child(self.layer, name, data)

    def run(self, child: LayerState, *inputs: int, **arguments: Any) -> tuple[int, ...]:
        """Call a layer inside this one."""
        return self.emitter.run(child, inputs, arguments)

    def refuse(self, why: str) -> UnsupportedLayerError:
        """The error for an option that is not computed."""
        return self.config.refuse(why)


def _values(value: Any) -> Iterator[int]:
    if isinstance(value, Tensor):
        yield value.value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _values(item)
