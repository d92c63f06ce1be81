"""Operations that compute numbers one by one or row by row."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

from engine.errors import GraphError
from engine.ir.ops.base import LINEAR, Activation, Op, Shape, broadcast, expect

BinaryKind: TypeAlias = Literal[
    "add", "sub", "mul", "div", "max", "min", "pow", "floor_divide", "mod", "squared_difference", "prelu",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
]  # fmt: skip
BINARY_KINDS: tuple[BinaryKind, ...] = get_args(BinaryKind)


@dataclass(frozen=True, slots=True)
class Dense(Op):
    """Matrix product over the last axis. Operands: x (..., k), w (k, f), optional bias (f)."""

    operands: ClassVar = (2, 3)
    activation: Activation = LINEAR

    def result(self, *shapes: Shape) -> Shape:
        if not shapes[0]:
            raise GraphError("a dense layer needs at least one axis, found a scalar")
        expect("axes of the kernel", 2, len(shapes[1]))
        k, f = shapes[1]
        expect("features of the input", k, shapes[0][-1])
        expect("bias", [(f,)], [*shapes[2:]] or [(f,)])
        return (*shapes[0][:-1], f)


@dataclass(frozen=True, slots=True)
class ScaleShift(Op):
    """x·scale + shift along the last axis. Operands: x (..., c), scale (c), shift (c)."""

    operands: ClassVar = (3, 3)
    activation: Activation = LINEAR

    def result(self, *shapes: Shape) -> Shape:
        expect("scale", shapes[0][-1:], shapes[1])
        expect("shift", shapes[0][-1:], shapes[2])
        return shapes[0]


@dataclass(frozen=True, slots=True)
class Activate(Op):
    """An activation function, element by element."""

    activation: Activation

    def result(self, *shapes: Shape) -> Shape:
        return shapes[0]


@dataclass(frozen=True, slots=True)
class Softmax(Op):
    """exp(x) over its sum along the last axis."""

    def result(self, *shapes: Shape) -> Shape:
        if not shapes[0]:
            raise GraphError("softmax needs at least one axis, found a scalar")
        return shapes[0]


@dataclass(frozen=True, slots=True)
class Binary(Op):
    """Two operands, element by element, with NumPy's broadcasting over the example's axes.

    Comparisons and the logical kinds give 1 and 0. `mod` has the sign of the second operand, as Python's. `prelu` is
    a where a > 0, else a·b.
    """

    operands: ClassVar = (2, 2)
    kind: BinaryKind
    activation: Activation = LINEAR

    def result(self, *shapes: Shape) -> Shape:
        return broadcast(*shapes)
