"""Operations that pick elements: by position, or by a condition."""

from dataclasses import dataclass
from typing import ClassVar

from engine.errors import GraphError
from engine.ir.ops.base import Op, Shape, broadcast, expect


@dataclass(frozen=True, slots=True)
class Slice(Op):
    """Along axis i the elements `begin[i] + j·step[i]` for j < `count[i]`.

    Steps may be negative; a step of 0 repeats one element.
    """

    begin: Shape
    count: Shape
    step: Shape

    def result(self, *shapes: Shape) -> Shape:
        expect("axes of a slice", [len(shapes[0])] * 3, [len(self.begin), len(self.count), len(self.step)])
        for size, begin, count, step in zip(shapes[0], self.begin, self.count, self.step, strict=True):
            if count < 1 or not (0 <= begin < size and 0 <= begin + (count - 1) * step < size):
                raise GraphError(f"a slice of {count} from {begin} by steps of {step} does not fit an axis of {size}")
        return self.count


@dataclass(frozen=True, slots=True)
class Gather(Op):
    """The elements at constant `indexes` along `axis` (counted from the end, so negative)."""

    axis: int
    indexes: Shape

    def result(self, *shapes: Shape) -> Shape:
        shape, axis = shapes[0], len(shapes[0]) + self.axis
        if self.axis >= 0 or axis < 0:
            raise GraphError(f"a shape of {len(shape)} axes has no axis {self.axis}")
        if not self.indexes or min(self.indexes) < 0 or max(self.indexes) >= shape[axis]:
            raise GraphError(f"the indexes along axis {self.axis} do not fit {shape}")
        return (*shape[:axis], len(self.indexes), *shape[axis + 1 :])


@dataclass(frozen=True, slots=True)
class Select(Op):
    """b where the condition a is not zero, else c; NumPy's broadcasting. Operands: a, b, c. NaN is not zero."""

    operands: ClassVar = (3, 3)

    def result(self, *shapes: Shape) -> Shape:
        return broadcast(broadcast(shapes[0], shapes[1]), shapes[2])
