"""Networks with Python functions inside: native runs of what lies between them, and the functions in turn."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import HostCall
from engine.ir.reference.host import call_host
from engine.plan.choose import Choice, choose
from engine.plan.machine import Machine
from engine.plan.program import plan
from engine.runtime.session import Session

Values: TypeAlias = dict[int, NDArray[np.float32]]


class Native:
    """Operations without a Python function among them, as one program."""

    def __init__(self, graph: Graph, machine: Machine, threads: int | None, choose: Choice) -> None:
        self._graph = graph
        self.session = Session(plan(graph, machine, choose), threads)

    def run(self, values: Values, n: int) -> None:
        """Add the results for n examples to `values`."""
        results = self.session.run([values[v] for v in self._graph.inputs], n)
        values.update(zip(self._graph.outputs, results, strict=True))


class Host:
    """One Python function and its constants."""

    def __init__(self, node: Node, op: HostCall) -> None:
        self._op, self._output = op, node.output
        self._operands = [np.asarray(o.read(), np.float32) if isinstance(o, Weight) else o for o in node.operands]

    def run(self, values: Values, n: int) -> None:
        """Add the result for n examples to `values`."""
        operands = [_locked(values[o]) if isinstance(o, int) else _locked(o) for o in self._operands]
        values[self._output] = call_host(self._op, operands)


def _locked(array: NDArray[np.float32]) -> NDArray[np.float32]:
    view = array.view()
    view.flags.writeable = False
    return view


class SegmentedSession:
    """A `Session` for a graph with Python functions. Calls from many threads meet in those functions."""

    is_simple = False

    def __init__(self, graph: Graph, machine: Machine, threads: int | None, choose: Choice = choose) -> None:
        self._graph = graph
        self._parts: list[Native | Host] = []
        for part in _cut(graph):
            node = part.nodes[0]
            if isinstance(node.op, HostCall):
                self._parts.append(Host(node, node.op))
            else:
                self._parts.append(Native(part, machine, threads, choose))

    @property
    def natives(self) -> Sequence[Session]:
        """The sessions of the native parts."""
        return [p.session for p in self._parts if isinstance(p, Native)]

    @property
    def kernels(self) -> frozenset[str]:
        """The kernels that the native parts call."""
        return frozenset().union(*(session.kernels for session in self.natives))

    def empty(self, n: int) -> list[NDArray[np.float32]]:
        """Room for the outputs of n examples."""
        return [np.empty((n, *self._graph.shapes[v]), np.float32) for v in self._graph.outputs]

    def run_one(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `Session.run_one`."""
        return self.run([x], 1)[0]

    def run(self, inputs: Sequence[NDArray[np.float32]], n: int) -> list[NDArray[np.float32]]:
        """As `Session.run`."""
        results = self.empty(n)
        for _ in self.pieces(inputs, results, n):
            pass
        return results

    def pieces(
        self, inputs: Sequence[NDArray[np.float32]], results: list[NDArray[np.float32]], n: int, most: int = 32
    ) -> Iterator[int]:
        """As `Session.pieces`."""
        for start in range(0, n, most):
            end = min(start + most, n)
            values: Values = {
                v: np.asarray(x[start:end], np.float32) for v, x in zip(self._graph.inputs, inputs, strict=True)
            }
            for part in self._parts:
                part.run(values, end - start)
            for result, v in zip(results, self._graph.outputs, strict=True):
                result[start:end] = values[v]
            yield end


def _cut(graph: Graph) -> Iterator[Graph]:
    """The graph as consecutive graphs; each Python function is one by itself."""
    runs: list[list[Node]] = []
    for node in graph.nodes:
        alone = isinstance(node.op, HostCall)
        if alone or not runs or isinstance(runs[-1][0].op, HostCall):
            runs.append([])
        runs[-1].append(node)
    for i, nodes in enumerate(runs):
        made = {node.output for node in nodes}
        read = {v for later in runs[i + 1 :] for node in later for v in node.values} | set(graph.outputs)
        inputs = dict.fromkeys(v for node in nodes for v in node.values if v not in made)
        outputs = tuple(node.output for node in nodes if node.output in read)
        shapes = {v: graph.shapes[v] for v in (*inputs, *made)}
        yield Graph(tuple(inputs), outputs, tuple(nodes), shapes)
