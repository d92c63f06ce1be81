"""A program ready to run from any number of threads: each call has a workspace to itself."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import KernelError
from engine.ir.graph import Graph, Weight
from engine.ir.ops import HostCall
from engine.plan.choose import Choice
from engine.plan.machine import Machine, this_machine
from engine.plan.program import Program, plan
from engine.runtime import native, team
from engine.runtime.tuning import Memory, choice
from engine.runtime.workspace import Workspace

if TYPE_CHECKING:
    from engine.runtime.segments import SegmentedSession

log = logging.getLogger("engine")

_MOST_IMAGES = 32
_MOST_BYTES = 16 << 20
_KEPT = 4

Arrays = Sequence[NDArray[np.float32]]


def new_session(
    graph: Graph, threads: int | None, memory: Memory = "normal"
) -> "Session | SegmentedSession | FallbackSession":
    """A session on compiled kernels, or, where this machine cannot run them, on NumPy with one warning."""
    try:
        machine = this_machine()
        with np.errstate(all="ignore"):
            session = _compiled(graph, machine, threads, choice(machine, memory))
        native.addresses([*session.kernels, "run", "worker"], machine.isa)
    except KernelError as error:
        log.warning("computing with NumPy, slowly: %s", error)
        return FallbackSession(graph)
    return session


def _compiled(graph: Graph, machine: Machine, threads: int | None, choose: Choice) -> "Session | SegmentedSession":
    if any(isinstance(node.op, HostCall) for node in graph.nodes):
        from engine.runtime.segments import SegmentedSession

        return SegmentedSession(graph, machine, threads, choose)
    return Session(plan(graph, machine, choose), threads)


class Session:
    """Runs a program. Large batches go through in pieces of `capacity` images, whose values stay in cache."""

    def __init__(self, program: Program, threads: int | None = None) -> None:
        self.program = program
        self.is_simple = len(program.inputs) == len(program.outputs) == 1
        self._threads = threads
        self.capacity = max(1, min(_MOST_IMAGES, _MOST_BYTES // max(program.arena, 1)))
        self._free: dict[int, list[Workspace]] = {}

    @property
    def natives(self) -> "Sequence[Session]":
        """The sessions that it is made of."""
        return (self,)

    @property
    def kernels(self) -> frozenset[str]:
        """The kernels that it calls."""
        return self.program.kernels

    @property
    def threads(self) -> int:
        """The most threads that a call uses."""
        return self._threads or team.num_threads()

    def empty(self, n: int) -> list[NDArray[np.float32]]:
        """Room for the outputs of n examples."""
        return [np.empty((n, *self.program.shapes[v]), np.float32) for v in self.program.outputs]

    def run(self, inputs: Arrays, n: int) -> list[NDArray[np.float32]]:
        """Outputs (n, ...) for inputs (n, ...), in the program's order. Results own their memory."""
        if 0 < n <= self.capacity:
            return self._run_at_once(inputs, n)
        results = self.empty(n)
        for _ in self.pieces(inputs, results, n):
            pass
        return results

    def _run_at_once(self, inputs: Arrays, n: int) -> list[NDArray[np.float32]]:
        capacity = 1 if n == 1 else self.capacity
        workspace = self._take(capacity)
        try:
            for i, x in enumerate(inputs):
                workspace.feed(i, x)
            workspace.run(n)
            return [view[:n].copy() for view in workspace.outputs]
        finally:
            workspace.forget()
            self._give_back(capacity, workspace)

    def run_one(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The only output (1, ...) for the only input (1, ...), by the shortest way."""
        workspace = self._take(1)
        try:
            workspace.feed(0, x)
            workspace.run(1)
            return workspace.output.copy()
        finally:
            if workspace.reads_elsewhere:
                workspace.forget()
            self._give_back(1, workspace)

    def pieces(self, inputs: Arrays, results: Arrays, n: int, most: int = _MOST_IMAGES) -> Iterator[int]:
        """As `run`, into `results`, at most `most` at a time; yields after each piece how many are done."""
        capacity = 1 if n == 1 else self.capacity
        workspace = self._take(capacity)
        step = min(capacity, most)
        try:
            for start in range(0, n, step):
                count = min(step, n - start)
                for i, x in enumerate(inputs):
                    workspace.feed(i, x[start : start + count])
                workspace.run(count)
                for view, y in zip(workspace.outputs, results, strict=True):
                    y[start : start + count] = view[:count]
                yield start + count
        finally:
            workspace.forget()
            self._give_back(capacity, workspace)

    def _take(self, capacity: int) -> Workspace:
        threads = self._threads or team.num_threads()
        try:
            workspace = self._free[capacity].pop()
        except (KeyError, IndexError):
            return Workspace(self.program, capacity, threads)
        return workspace if workspace.threads == threads else Workspace(self.program, capacity, threads)

    def _give_back(self, capacity: int, workspace: Workspace) -> None:
        free = self._free.setdefault(capacity, [])
        if len(free) < _KEPT:
            free.append(workspace)


class FallbackSession:
    """The slow twin behind the same methods, for machines that allow no compiled code."""

    def __init__(self, graph: Graph) -> None:
        constants = {id(w): _constant(w) for w in graph.weights()}
        nodes = (
            replace(n, operands=tuple(constants[id(o)] if isinstance(o, Weight) else o for o in n.operands))
            for n in graph.nodes
        )
        self._graph = replace(graph, nodes=tuple(nodes))
        self.is_simple = False
        self.natives: Sequence[Session] = ()
        self.threads = 1

    def empty(self, n: int) -> list[NDArray[np.float32]]:
        """Room for the outputs of n examples."""
        return [np.empty((n, *self._graph.shapes[v]), np.float32) for v in self._graph.outputs]

    def run_one(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `Session.run_one`."""
        return self.run([x], 1)[0]

    def run(self, inputs: Arrays, n: int) -> list[NDArray[np.float32]]:
        """As `Session.run`."""
        results = self.empty(n)
        for _ in self.pieces(inputs, results, n):
            pass
        return results

    def pieces(self, inputs: Arrays, results: Arrays, n: int, most: int = _MOST_IMAGES) -> Iterator[int]:
        """As `Session.pieces`."""
        for start in range(0, n, most):
            end = min(start + most, n)
            from engine.ir import reference

            with np.errstate(all="ignore"):
                values = reference.run(self._graph, [x[start:end] for x in inputs])
                for y, v in zip(results, self._graph.outputs, strict=True):
                    y[start:end] = values[v]
            yield end


def _constant(weight: Weight) -> Weight:
    array = weight.read()
    return Weight(weight.name, weight.shape, lambda: array)
