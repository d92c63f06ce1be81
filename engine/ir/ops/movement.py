"""Operations that only move numbers."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from engine.errors import GraphError
from engine.ir.ops.base import Op, Shape


@dataclass(frozen=True, slots=True)
class Concat(Op):
    """Operands joined along `axis` (counted from the end, so negative)."""

    operands: ClassVar = (1, 1 << 20)
    axis: int = -1

    def result(self, *shapes: Shape) -> Shape:
        first, axis = shapes[0], len(shapes[0]) + self.axis
        if self.axis >= 0 or axis < 0:
            raise GraphError(f"cannot join shapes of {len(first)} axes along axis {self.axis}")
        rest = (*first[:axis], *first[axis + 1 :])
        for shape in shapes[1:]:
            if len(shape) != len(first) or (*shape[:axis], *shape[axis + 1 :]) != rest:
                raise GraphError(f"cannot join shapes {first} and {shape} along axis {self.axis}")
        return (*first[:axis], sum(s[axis] for s in shapes), *first[axis + 1 :])


@dataclass(frozen=True, slots=True)
class Reshape(Op):
    """The same elements in the same order under another shape."""

    shape: Shape

    def result(self, *shapes: Shape) -> Shape:
        if prod(shapes[0]) != prod(self.shape):
            raise GraphError(f"cannot reshape {shapes[0]} to {self.shape}")
        return self.shape


@dataclass(frozen=True, slots=True)
class Transpose(Op):
    """Axes in another order; `axes[i]` is the source of axis i. The batch axis stays first."""

    axes: Shape

    def result(self, *shapes: Shape) -> Shape:
        if sorted(self.axes) != list(range(len(shapes[0]))):
            raise GraphError(f"axes {self.axes} are no permutation of the axes of {shapes[0]}")
        return tuple(shapes[0][a] for a in self.axes)


@dataclass(frozen=True, slots=True)
class Identity(Op):
    """The operand itself: what dropout and its like are at inference."""

    def result(self, *shapes: Shape) -> Shape:
        return shapes[0]
