"""Products of two values."""

from dataclasses import dataclass
from typing import ClassVar

from engine.errors import GraphError
from engine.ir.ops.base import Op, Shape, expect


@dataclass(frozen=True, slots=True)
class MatMul(Op):
    """Matrix by matrix: a·b·scale. Operands: a (..., m, k), b (..., k, f), or (..., f, k) if `transposed`."""

    operands: ClassVar = (2, 2)
    transposed: bool = False
    scale: float = 1.0

    def result(self, *shapes: Shape) -> Shape:
        if min(map(len, shapes)) < 2:
            raise GraphError(f"expected two matrices, found shapes {shapes[0]} and {shapes[1]}")
        *lead, m, k = shapes[0]
        *lead_b, rows, columns = shapes[1]
        expect("axes in front of the second matrix", lead, lead_b)
        expect("columns and rows that are multiplied", k, columns if self.transposed else rows)
        return (*lead, m, rows if self.transposed else columns)
