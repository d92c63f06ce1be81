"""Products whose weights differ from place to place."""

from dataclasses import dataclass
from typing import ClassVar

from engine.errors import GraphError
from engine.ir.ops.base import Op, Shape, expect


@dataclass(frozen=True, slots=True)
class LocalDense(Op):
    """Row p times a matrix of its own. Operands: x (..., p, k), w (p, k, f)."""

    operands: ClassVar = (2, 2)

    def result(self, *shapes: Shape) -> Shape:
        if len(shapes[0]) < 2:
            raise GraphError(f"expected rows, found shape {shapes[0]}")
        expect("axes of the kernels", 3, len(shapes[1]))
        p, k, f = shapes[1]
        expect("rows and features of the input", (p, k), shapes[0][-2:])
        return (*shapes[0][:-1], f)
