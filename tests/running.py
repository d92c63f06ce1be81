"""Run one operation through every algorithm that may compute it, in memory that shows what was touched."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import Op
from engine.ir.verify import result_shape
from engine.kernels.isa import Isa
from engine.plan.choose import legal
from engine.plan.machine import Machine
from engine.plan.program import plan
from engine.plan.site import Site
from engine.runtime import workspace
from engine.runtime.workspace import Workspace

GUARD = 64
PATTERN = np.float32(np.nan)


def constant(name: str, array: NDArray[Any]) -> Weight:
    """A weight that holds this array."""
    return Weight(name, array.shape, lambda: array)


def one_op(op: Op, values: Sequence[NDArray[Any]], weights: Sequence[NDArray[Any]]) -> Graph:
    """A graph of one operation; `values` carry a batch axis, `weights` do not."""
    inputs = tuple(range(len(values)))
    operands = (*inputs, *(constant(f"w{i}", w) for i, w in enumerate(weights)))
    node = Node(op, operands, len(values), "layer")
    shapes = {i: v.shape[1:] for i, v in enumerate(values)}
    graph = Graph(inputs, (node.output,), (node,), {**shapes, node.output: ()})
    shapes[node.output] = result_shape(node, graph)
    return Graph(inputs, (node.output,), (node,), shapes)


def algorithms(op: Op, values: Sequence[NDArray[Any]], weights: Sequence[NDArray[Any]], isa: Isa) -> list[str]:
    """The names of the algorithms that may compute an operation."""
    graph = one_op(op, values, weights)
    return [a.name for a in legal(Site(graph.nodes[0], graph, Machine(isa)))]


def run_graph(
    graph: Graph, inputs: Sequence[NDArray[Any]], isa: Isa, *, threads: int = 1, algorithm: str | None = None
) -> list[NDArray[np.float32]]:
    """The outputs of a graph, computed in poisoned memory between guard words."""
    program = plan(graph, Machine(isa), lambda c, site: next((a for a in c if a.name == algorithm), c[0]))
    n = len(inputs[0])
    with pytest.MonkeyPatch.context() as patch:
        guards = _Guards()
        patch.setattr(workspace, "aligned_array", guards.allocate)
        patch.setattr(workspace, "_WORTH_WAKING", 0.0)
        space = Workspace(program, n, threads)
    guards.poison(space)
    for view, x in zip(space.inputs, inputs, strict=True):
        view[:] = x
    kept = [view.copy() for view in space.inputs]
    space.run(n)
    guards.check()
    if len(graph.nodes) == 1:
        for view, before in zip(space.inputs, kept, strict=True):
            np.testing.assert_array_equal(view, before)
    return [view.copy() for view in space.outputs]


class _Guards:
    """Allocates arrays with guard words on both sides."""

    def __init__(self) -> None:
        self._whole: list[tuple[NDArray[Any], int]] = []

    def allocate(self, shape: Sequence[int], dtype: Any = np.float32) -> NDArray[Any]:
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        raw = np.full(count + 3 * GUARD, 0xA5, np.uint8)
        start = -raw.ctypes.data % GUARD + GUARD
        raw[start : start + count] = 0
        self._whole.append((raw, count))
        return raw[start : start + count].view(dtype).reshape(shape)

    def poison(self, space: Workspace) -> None:
        space._arena[...] = PATTERN
        space._scratch[...] = PATTERN

    def check(self) -> None:
        for raw, count in self._whole:
            start = -raw.ctypes.data % GUARD + GUARD
            outside = np.concatenate([raw[:start], raw[start + count :]])
            assert (outside == 0xA5).all(), "a kernel wrote outside of its memory"
