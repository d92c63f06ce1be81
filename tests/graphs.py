"""Small graphs for the tests, built line by line."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import Op, Shape
from engine.ir.verify import result_shape, verify
from tests.running import constant


class Net:
    """Collects nodes; each method returns the number of the value that it makes. Weights are drawn from `seed`."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.inputs: list[int] = []
        self.nodes: list[Node] = []
        self.shapes: dict[int, Shape] = {}

    def input(self, *shape: int) -> int:
        value = len(self.shapes)
        self.inputs.append(value)
        self.shapes[value] = shape
        return value

    def weight(self, *shape: int) -> Weight:
        return constant(f"w{len(self.nodes)}", self.random.standard_normal(shape).astype(np.float32))

    def kernel(self, *shape: int) -> Weight:
        """A weight whose products with values near one stay near one."""
        array = self.random.standard_normal(shape).astype(np.float32) / np.float32(np.sqrt(prod(shape[:-1])))
        return constant(f"w{len(self.nodes)}", array)

    def add(self, op: Op, *operands: int | Weight, layer: str = "") -> int:
        value = len(self.shapes)
        node = Node(op, operands, value, layer or f"{type(op).__name__.lower()}_{value}")
        self.shapes[value] = ()
        self.shapes[value] = result_shape(node, Graph((), (), (), self.shapes))
        self.nodes.append(node)
        return value

    def graph(self, *outputs: int) -> Graph:
        """The graph with these outputs, verified."""
        graph = Graph(tuple(self.inputs), outputs, tuple(self.nodes), dict(self.shapes))
        verify(graph)
        return graph

    def batch(self, n: int) -> list[NDArray[np.float32]]:
        """Random inputs for n examples."""
        return [self.random.standard_normal((n, *self.shapes[v])).astype(np.float32) for v in self.inputs]


def ops_of(graph: Graph) -> list[str]:
    """The names of the operations, in order."""
    return [type(node.op).__name__ for node in graph.nodes]
