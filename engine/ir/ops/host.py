"""Functions of the user's inside a network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from numpy.typing import NDArray

from engine.ir.ops.base import Op, Shape

HostFunction: TypeAlias = Callable[..., NDArray[Any]]


@dataclass(frozen=True, slots=True)
class HostCall(Op):
    """A Python function of arrays. Operands: values, handed over as (n, ...), and weights, as they are.

    The function returns (n, *shape), and must treat the examples of a batch alike and apart from each other.
    """

    function: HostFunction
    shape: Shape
    operands: ClassVar = (1, 1 << 20)

    def result(self, *shapes: Shape) -> Shape:
        return self.shape
