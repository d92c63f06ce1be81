"""What a function of a node sees: its arguments as operands and numbers, the batch axis taken off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GraphError, ModelFileError, UnsupportedLayerError
from engine.frontend.call import Call, Tensor
from engine.frontend.config import MAX_INT
from engine.frontend.layers.geometry import example_axis
from engine.ir.graph import Operand
from engine.ir.ops import Activate, Activation, Binary, BinaryKind, Op, Reshape, Shape

MAX_RANK = 8


class Batch:
    """The size of the batch among sizes: not known before a call."""

    def __repr__(self) -> str:
        return "batch"


BATCH = Batch()


@dataclass(frozen=True)
class Scope:
    """One call of a function. Axes and shapes in arguments count the batch; those of results do not."""

    call: Call
    name: str

    def refuse(self, why: str) -> UnsupportedLayerError:
        """The error for what is not computed."""
        return UnsupportedLayerError(f"{self.call.config.where}: {self.name}: {why}")

    def wrong(self, what: str, value: Any) -> ModelFileError:
        """The error for an argument of the wrong kind."""
        return ModelFileError(f"{self.call.config.where}: {self.name}: expected {what}, found {repr(value)[:60]}")

    def value(self, x: Any) -> int:
        """An argument that must be a value of the graph."""
        if not isinstance(x, Tensor):
            raise self.refuse(f"is called on the constant {repr(x)[:60]}")
        return x.value

    def image(self, x: Any) -> int:
        """An argument that must be an image (h, w, c)."""
        value = self.value(x)
        if self.rank(value) != 3:
            raise GraphError(f"expected an image, found shape {self.shape(value)}")
        return value

    def values(self, items: Any) -> list[int]:
        """A list of values of the graph; one alone counts as a list."""
        listed = items if isinstance(items, list | tuple) else [items]
        return [self.value(x) for x in listed]

    def shape(self, value: int) -> Shape:
        """A value's shape, without the batch axis."""
        return self.call.shape(value)

    def rank(self, value: int) -> int:
        """A value's number of axes, without the batch axis."""
        return len(self.shape(value))

    def emit(self, op: Op, *operands: Operand) -> int:
        """Append an operation; its value."""
        return self.call.emit(op, *operands)

    def activate(self, x: int, kind: str, a: float = 0.0, b: float = 0.0, c: float = float("inf")) -> int:
        """An elementwise function."""
        return self.emit(Activate(Activation(kind, a, b, c)), x)

    def binary(self, kind: BinaryKind, a: Operand, b: Operand) -> int:
        """An elementwise function of two operands."""
        return self.emit(Binary(kind), a, b)

    def reshape(self, x: int, shape: Sequence[int]) -> int:
        """The value under another shape."""
        return x if self.shape(x) == tuple(shape) else self.emit(Reshape(tuple(shape)), x)

    def number_of(self, value: float) -> Operand:
        """A constant of one element."""
        return self.constant(np.array(value, np.float64))

    def constant(self, array: NDArray[Any]) -> Operand:
        """A constant of this call."""
        kept = np.asarray(array, np.float64)
        return self.call.derive(f"constant_{len(self.call.layer.derived)}", kept.shape, lambda: kept)

    def array(self, x: Any) -> NDArray[Any]:
        """A number, a nested list of numbers or an array from the file, as float64."""
        try:
            array = np.asarray(x)
        except ValueError:
            raise self.wrong("an array", x) from None
        if array.dtype.kind not in "biuf" or array.ndim > MAX_RANK:
            raise self.wrong("numbers", x)
        return array.astype(np.float64)

    def together(self, *items: Any) -> list[Operand]:
        """Operands that broadcast against each other. One that would reach across the batch axis is refused."""
        full = 1 + max(self.rank(x.value) for x in items if isinstance(x, Tensor))
        return [self._operand(x, full) for x in items]

    def _operand(self, x: Any, full: int) -> Operand:
        if isinstance(x, Tensor):
            if self.rank(x.value) + 1 < full and self.rank(x.value) > 0:
                raise self.refuse(f"values of {self.rank(x.value) + 1} and {full} axes would mix examples of a batch")
            if self.rank(x.value) + 1 < full:
                raise self.refuse("one number for each example would be spread over other axes of the batch")
            return x.value
        array = self.array(x)
        if array.ndim > full or (array.ndim == full and array.shape[0] != 1):
            raise self.refuse(f"a constant of shape {array.shape} reaches across the batch")
        return self.constant(array[0] if array.ndim == full else array)

    def axis(self, axis: Any, rank: int) -> int:
        """One axis, which counts the batch, as an axis of an example of `rank` axes."""
        return example_axis(self.integer(axis), rank)

    def axes(self, axes: Any, rank: int) -> list[int]:
        """One axis or several, ascending. None, which means all, would be the batch too."""
        if axes is None:
            raise self.refuse("works on all axes and so on the batch")
        return sorted({self.axis(a, rank) for a in self.listed(axes)})

    def listed(self, x: Any) -> list[Any]:
        """A list; a single item counts as one."""
        if isinstance(x, np.ndarray):
            x = x.tolist()
        return list(x) if isinstance(x, list | tuple) else [x]

    def integer(self, x: Any) -> int:
        """A whole number; some files have 3.0 for 3."""
        if isinstance(x, np.ndarray) and x.size == 1:
            x = x.item()
        if isinstance(x, bool) or not isinstance(x, int | float) or not abs(x) <= MAX_INT or x != int(x):
            raise self.wrong("a whole number", x)
        return int(x)

    def integers(self, x: Any) -> list[int]:
        """A list of whole numbers, or one."""
        return [self.integer(item) for item in self.listed(x)]

    def number(self, x: Any) -> float:
        """A number."""
        array = self.array(x)
        if array.size != 1:
            raise self.wrong("a number", x)
        return float(array.reshape(()))

    def flag(self, x: Any) -> bool:
        """True or false."""
        if x not in (True, False, None):
            raise self.wrong("true or false", x)
        return bool(x)

    def choice(self, x: Any, *allowed: str) -> str:
        """One of a few words, in any case of letters."""
        if not isinstance(x, str) or x.lower() not in allowed:
            raise self.wrong(" or ".join(map(repr, allowed)), x)
        return x.lower()

    def example_shape(self, sizes: Any, elements: int) -> Shape:
        """A shape that counts the batch as that of an example of so many elements; one −1 stands for what is left."""
        first, *rest = self.listed(sizes) or [None]
        kept = [-1 if size is None else self.integer(size) for size in rest]
        known = int(np.prod([size for size in kept if size != -1], dtype=np.int64))
        if kept.count(-1) == 1 and known > 0 and (first is None or isinstance(first, Batch)):
            kept = [elements // known if size == -1 else size for size in kept]
        if -1 in kept or int(np.prod(kept, dtype=np.int64)) != elements:
            raise self.refuse(f"the shape {sizes} does not leave the batch as it is")
        return tuple(kept)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The values of the graph in a nested argument."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
