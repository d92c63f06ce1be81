"""A network: nodes in the order in which they can run, values numbered, weights not read until somebody asks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

from numpy.typing import NDArray

from engine.ir.ops import Op, Shape


@dataclass(frozen=True, eq=False)
class Weight:
    """A constant operand. `read()` returns it as a float32 or float64 array of `shape`, afresh at each call."""

    name: str
    shape: Shape
    read: Callable[[], NDArray[Any]] = field(repr=False)

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)


Operand: TypeAlias = int | Weight


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. Integer operands are values, `output` is the value it makes, `layer` is whom it came from."""

    op: Op
    operands: tuple[Operand, ...]
    output: int
    layer: str

    @property
    def values(self) -> tuple[int, ...]:
        """The operands that are values."""
        return tuple(o for o in self.operands if isinstance(o, int))

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The operands that are constants."""
        return tuple(o for o in self.operands if isinstance(o, Weight))


@dataclass(frozen=True)
class Graph:
    """`shapes[v]` is the shape of value v for one example, without the batch axis. All values are float32."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    nodes: tuple[Node, ...]
    shapes: Mapping[int, Shape]

    def producers(self) -> dict[int, Node]:
        """The node that makes each value; inputs have none."""
        return {node.output: node for node in self.nodes}

    def uses(self) -> dict[int, int]:
        """How often each value is read; being an output of the graph counts as once."""
        count = dict.fromkeys(self.shapes, 0)
        for value in (*(v for node in self.nodes for v in node.values), *self.outputs):
            count[value] += 1
        return count

    def weights(self) -> Iterator[Weight]:
        """Each constant once, in the order of the nodes."""
        seen: set[int] = set()
        for weight in (w for node in self.nodes for w in node.weights):
            if id(weight) not in seen:
                seen.add(id(weight))
                yield weight
