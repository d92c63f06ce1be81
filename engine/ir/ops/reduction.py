"""Operations that look at whole axes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from engine.errors import GraphError
from engine.ir.ops.base import Op, Shape, expect


@dataclass(frozen=True, slots=True)
class Reduce(Op):
    """All elements along `axes` (counted from the end, so negative) as one; the axes go, or become 1."""

    kind: Literal["sum", "mean", "max", "min", "prod"]
    axes: Shape
    keepdims: bool = False

    def result(self, *shapes: Shape) -> Shape:
        rank = len(shapes[0])
        chosen = {rank + axis for axis in self.axes}
        if not chosen or len(chosen) < len(self.axes) or min(chosen) < 0 or max(chosen) >= rank:
            raise GraphError(f"axes {self.axes} are no axes of {shapes[0]}")
        if self.keepdims:
            return tuple(1 if i in chosen else size for i, size in enumerate(shapes[0]))
        return tuple(size for i, size in enumerate(shapes[0]) if i not in chosen)


@dataclass(frozen=True, slots=True)
class Normalize(Op):
    """Rows along the last axis: (x − mean) / sqrt(variance + epsilon) · scale + shift.

    Where not `centered`, x / sqrt(mean of squares + epsilon) · scale + shift.
    Operands: x (..., c), scale (c), shift (c).
    """

    operands: ClassVar = (3, 3)
    epsilon: float
    centered: bool = True

    def result(self, *shapes: Shape) -> Shape:
        if not shapes[0]:
            raise GraphError("a normalization needs at least one axis, found a scalar")
        expect("scale", shapes[0][-1:], shapes[1])
        expect("shift", shapes[0][-1:], shapes[2])
        return shapes[0]
