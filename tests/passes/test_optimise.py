"""All passes together: the same answers for any graph, and an error that names the pass."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.passes
from engine.errors import GraphError
from engine.ir import reference
from engine.ir.graph import Graph
from engine.ir.ops import RELU, Activate, Activation, Conv, Identity, Pad, ScaleShift, Softmax
from engine.ir.text import format_graph
from engine.passes import PASSES, optimise
from tests.graphs import Net, ops_of
from tests.random_graphs import random_graph


def same_answers(before: Graph, net: Net) -> Graph:
    """The optimised graph, whose outputs are those of the graph."""
    after = optimise(before)
    inputs = net.batch(2)
    expected, found = reference.run(before, inputs), reference.run(after, inputs)
    assert after.inputs == before.inputs
    for a, b in zip(before.outputs, after.outputs, strict=True):
        assert found[b].shape == expected[a].shape
        np.testing.assert_allclose(found[b], expected[a], rtol=0, atol=1e-9 * max(1, np.abs(expected[a]).max()))
    return after


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 32), nodes=st.integers(1, 25))
def test_random_graphs_keep_their_answers(seed: int, nodes: int) -> None:
    same_answers(*random_graph(seed, nodes))


@pytest.mark.slow
def test_many_random_graphs_keep_their_answers() -> None:
    for seed in range(2000):
        same_answers(*random_graph(seed, 3 + seed % 30))


def test_random_graphs_have_something_to_optimise() -> None:
    def removable(graph: Graph) -> int:
        return sum(isinstance(node.op, Activate | Identity | Pad | ScaleShift) for node in graph.nodes)

    graphs = [random_graph(seed)[0] for seed in range(50)]
    assert sum(removable(optimise(graph)) for graph in graphs) < 0.9 * sum(map(removable, graphs))


def test_convolution_block_becomes_one_node() -> None:
    net = Net()
    x = net.add(Identity(), net.input(6, 6, 2))
    x = net.add(Conv(pads=((1, 1), (1, 1))), x, net.weight(3, 3, 2, 4))
    x = net.add(ScaleShift(), net.add(Identity(), x), net.weight(4), net.weight(4))
    x = net.add(Identity(), net.add(Activate(RELU), x))
    assert ops_of(same_answers(net.graph(x), net)) == ["Conv"]


def test_an_input_is_an_output() -> None:
    net = Net()
    x = net.input(3)
    y = net.add(Identity(), x)
    after = same_answers(net.graph(x, y, net.add(Activate(RELU), y)), net)
    assert after.outputs[:2] == (x, x)


def test_a_value_is_an_output_twice() -> None:
    net = Net()
    y = net.add(Conv(), net.input(4, 4, 1), net.weight(3, 3, 1, 2))
    z = net.add(Activate(RELU), y)
    after = same_answers(net.graph(z, z), net)
    assert ops_of(after) == ["Conv"]
    assert after.outputs[0] == after.outputs[1]


def test_an_output_is_also_consumed() -> None:
    net = Net()
    y = net.add(Conv(), net.input(4, 4, 1), net.weight(3, 3, 1, 2))
    z = net.add(Activate(RELU), y)
    w = net.add(Activate(Activation("tanh")), z)
    after = same_answers(net.graph(w, z), net)
    assert ops_of(after) == ["Conv", "Activate"]


def test_a_scale_behind_an_output_stays() -> None:
    net = Net()
    y = net.add(Conv(), net.input(4, 4, 1), net.weight(3, 3, 1, 2))
    z = net.add(ScaleShift(), y, net.weight(2), net.weight(2))
    assert ops_of(same_answers(net.graph(z, y), net)) == ["Conv", "ScaleShift"]


def test_an_input_that_nobody_reads_stays() -> None:
    net = Net()
    x, unread = net.input(3), net.input(4)
    after = same_answers(net.graph(net.add(Softmax(), x)), net)
    assert after.inputs == (x, unread)


def test_passes_read_no_weight() -> None:
    net = Net()
    kernel, scale = net.weight(3, 3, 1, 2), net.weight(2)
    unread = [replace(w, read=lambda: pytest.fail("a pass read a weight")) for w in (kernel, scale)]
    y = net.add(Conv(), net.input(4, 4, 1), unread[0])
    assert ops_of(optimise(net.graph(net.add(ScaleShift(), y, unread[1], unread[1])))) == ["Conv"]


def test_the_graph_itself_is_not_changed() -> None:
    graph, _ = random_graph(7)
    before = format_graph(graph)
    optimise(graph)
    assert format_graph(graph) == before


def test_a_pass_that_breaks_a_rule_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget_the_last_node(graph: Graph) -> Graph:
        return replace(graph, nodes=graph.nodes[:-1])

    monkeypatch.setattr(engine.passes, "PASSES", (*PASSES[:2], forget_the_last_node, *PASSES[2:]))
    net = Net()
    graph = net.graph(net.add(Softmax(), net.input(3), layer="last"))
    with pytest.raises(GraphError, match="after pass forget_the_last_node: "):
        optimise(graph)
