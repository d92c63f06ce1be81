"""A plan is a pure function, its values never overwrite each other, and it lets the raw weights go."""

import gc
import weakref
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.frontend.weights import Parameter
from engine.ir.graph import Graph, Weight
from engine.ir.ops import RELU, Conv, Dense, Identity, Reshape, ScaleShift
from engine.kernels.isa import ISAS
from engine.passes import optimise
from engine.plan.machine import Machine
from engine.plan.program import Program, plan
from engine.plan.step import Value
from engine.runtime.session import FallbackSession, Session, new_session
from tests.graphs import Net
from tests.random_graphs import random_graph

WEIGHTS = Path(__file__).parents[2] / "weights"
MACHINES = [Machine(isa) for isa in ISAS]


def described(program: Program) -> list[object]:
    """Everything that a program says, arrays as bytes."""

    def plain(field: object) -> object:
        return (field.dtype.str, field.shape, field.tobytes()) if isinstance(field, np.ndarray) else field

    steps = [(replace(s, fields={}).__repr__(), {k: plain(f) for k, f in s.fields.items()}) for s in program.steps]
    return [steps, program.inputs, program.outputs, program.shapes, program.offsets, program.arena]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1 << 32), machine=st.sampled_from(MACHINES))
def test_the_same_graph_gives_the_same_plan(seed: int, machine: Machine) -> None:
    graph = optimise(random_graph(seed)[0])
    assert described(plan(graph, machine)) == described(plan(graph, machine))


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 1 << 32), nodes=st.integers(1, 25), fold=st.booleans())
def test_what_a_step_reads_is_still_there(seed: int, nodes: int, fold: bool) -> None:
    graph = random_graph(seed, nodes)[0]
    graph = optimise(graph) if fold else graph
    program = plan(graph, MACHINES[0])
    owner = Memory(graph, program)
    for value in graph.inputs:
        owner.write(value)
    for step in program.steps:
        reads = {f.number for name, f in step.fields.items() if isinstance(f, Value) and name != "y"}
        written = step.fields["y"]
        assert isinstance(written, Value)
        for value in reads:
            owner.check(value)
        owner.write(written.number)
        for value in reads:
            owner.check(value)
    for value in graph.outputs:
        owner.check(value)


class Memory:
    """An arena in which each 4 bytes know whose they are; a reshaped value is the value that was reshaped."""

    def __init__(self, graph: Graph, program: Program) -> None:
        self._program = program
        self._cells = np.full(program.arena // 4, -1)
        self._home = {v: v for v in graph.shapes}
        for node in graph.nodes:
            if isinstance(node.op, Reshape | Identity):
                self._home[node.output] = self._home[node.values[0]]

    def _place(self, value: int) -> Any:
        start = self._program.offsets[value]
        assert start % 64 == 0
        assert start + 4 * prod(self._program.shapes[value]) <= self._program.arena
        return self._cells[start // 4 : start // 4 + prod(self._program.shapes[value])]

    def write(self, value: int) -> None:
        self._place(value)[:] = self._home[value]

    def check(self, value: int) -> None:
        assert (self._place(value) == self._home[value]).all(), f"value {value} has been overwritten"


def counted(graph: Graph) -> tuple[Graph, dict[str, int], list[weakref.ref[Any]]]:
    """The graph with weights that count how often they are read, and references to what they gave."""
    counts: dict[str, int] = {}
    given: list[weakref.ref[Any]] = []

    def wrap(weight: Weight, name: str) -> Weight:
        counts[name] = 0

        def read() -> Any:
            counts[name] += 1
            array = np.array(weight.read())
            given.append(weakref.ref(array))
            return array

        return Weight(name, weight.shape, read)

    nodes = []
    for i, node in enumerate(graph.nodes):
        operands = [wrap(o, f"{i}.{j}") if isinstance(o, Weight) else o for j, o in enumerate(node.operands)]
        nodes.append(replace(node, operands=tuple(operands)))
    return replace(graph, nodes=tuple(nodes)), counts, given


@pytest.mark.parametrize("seed", range(10))
def test_each_weight_is_read_once_and_let_go(seed: int) -> None:
    graph, counts, given = counted(optimise(random_graph(seed, 20)[0]))
    program = plan(graph, MACHINES[0])
    assert set(counts.values()) == {1}
    gc.collect()
    assert program.steps
    assert [ref for ref in given if ref() is not None] == []


def block() -> Graph:
    net = Net()
    x = net.add(Conv(), net.input(6, 6, 2), net.weight(3, 3, 2, 4), net.weight(4))
    x = net.add(ScaleShift(RELU), x, net.weight(4), net.weight(4))
    return net.graph(net.add(Dense(), net.add(Reshape((64,)), x), net.weight(64, 3)))


def test_folding_reads_no_kernel_twice() -> None:
    graph, counts, _ = counted(block())
    plan(optimise(graph), MACHINES[0])
    shapes = {f"{i}.{j}": o.shape for i, n in enumerate(graph.nodes) for j, o in enumerate(n.operands) if j}  # type: ignore[union-attr]
    assert {counts[name] for name, shape in shapes.items() if len(shape) > 1} == {1}
    assert max(counts.values()) <= 2


def test_a_session_keeps_no_raw_weight_and_no_graph() -> None:
    graph, _, given = counted(optimise(block()))
    session = new_session(graph, 1)
    assert isinstance(session, Session)
    session.run([np.zeros((1, 6, 6, 2), np.float32)], 1)
    gone = weakref.ref(graph)
    del graph
    gc.collect()
    assert gone() is None
    assert [ref for ref in given if ref() is not None] == []


def test_a_loaded_model_keeps_no_raw_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[weakref.ref[Any]] = []
    read = Parameter.read

    def recorded(self: Parameter) -> Any:
        array = read(self)
        given.append(weakref.ref(array))
        return array

    monkeypatch.setattr(Parameter, "read", recorded)
    model = engine.load_model(WEIGHTS / "mnist_dense.h5")
    model.predict(np.zeros((2, 28, 28, 1), np.float32))
    gc.collect()
    assert len(given) == 4
    assert [ref for ref in given if ref() is not None] == []


def test_the_fallback_reads_each_weight_once() -> None:
    graph, counts, _ = counted(optimise(block()))
    session = FallbackSession(graph)
    for _ in range(3):
        session.run([np.zeros((1, 6, 6, 2), np.float32)], 1)
    assert set(counts.values()) == {1}
