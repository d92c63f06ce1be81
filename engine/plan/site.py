"""A node in its place: what an algorithm is told, and what it must offer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import Op, Shape
from engine.plan.machine import Machine
from engine.plan.step import Step, Value

_MOST_TILES, _LEAST_WORK = 16, 1000.0


@dataclass(frozen=True)
class Site:
    """One node, the shapes around it, the machine."""

    node: Node
    graph: Graph
    machine: Machine

    @property
    def op(self) -> Any:
        return self.node.op

    @property
    def shape(self) -> Shape:
        """Shape of the first operand."""
        return self.operand_shape(0)

    @property
    def result(self) -> Shape:
        return self.graph.shapes[self.node.output]

    @property
    def y(self) -> Value:
        return Value(self.node.output)

    @property
    def x(self) -> Value:
        return self.value(0)

    def value(self, i: int) -> Value:
        operand = self.node.operands[i]
        assert isinstance(operand, int)
        return Value(operand)

    def operand_shape(self, i: int) -> Shape:
        operand = self.node.operands[i]
        return operand.shape if isinstance(operand, Weight) else self.graph.shapes[operand]

    def weight(self, i: int) -> NDArray[np.float32]:
        """A constant operand as float32, read now."""
        operand = self.node.operands[i]
        assert isinstance(operand, Weight)
        with np.errstate(over="ignore"):
            return np.asarray(operand.read(), np.float32)

    def bias(self, i: int, size: int) -> NDArray[np.float32]:
        """Operand i, or zeros where the node has none."""
        return self.weight(i) if i < len(self.node.operands) else np.zeros(size, np.float32)

    def nanoseconds(self, flops: float, floats: float) -> float:
        """A rough time on one core for arithmetic and for moving float32 between cache and registers."""
        return flops / (7.0 * self.machine.isa.lanes) + floats * 0.05

    def share(self, extent: int, work: float) -> int:
        """Of `extent` rows those of a tile of work: enough tiles to share an image, none too short to be worth it.

        `work` is an estimate in nanoseconds for all of them.
        """
        tiles = max(1, min(_MOST_TILES, extent, int(work / _LEAST_WORK)))
        return -(-extent // tiles)

    def streaming(self, size: float) -> float:
        """A rough time on one core to read weights of `size` bytes once, beyond what arithmetic hides."""
        if size <= self.machine.l2 // 2:
            return 0.0
        return size * (0.015 if size <= self.machine.l3 else 0.08)


class Algorithm(Protocol):
    """One way to compute an operation. `name` is `<op>_<algorithm>`.

    An algorithm whose packed weights take several times the room of the operation's own says `inflates = True`.
    """

    name: str

    def applies(self, site: Site) -> bool:
        """Whether this algorithm computes this node exactly as the operation means it."""

    def cost(self, site: Site) -> float:
        """Estimated nanoseconds an image on one core."""

    def emit(self, site: Site) -> Sequence[Step]:
        """The steps, with weights read and packed."""


Table: TypeAlias = Mapping[type[Op], tuple[Algorithm, ...]]


def aligned_array(shape: Sequence[int], dtype: Any = np.float32) -> NDArray[Any]:
    """Zeros whose first element lies on a cache line."""
    count = prod(shape)
    size = np.dtype(dtype).itemsize
    raw = np.zeros(count * size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    array: NDArray[Any] = raw[start : start + count * size].view(dtype).reshape(shape)
    return array
