"""Every rule of the verifier has a graph that breaks it."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import GraphError
from engine.ir.graph import Graph, Node
from engine.ir.ops import RELU, Activate, Binary, Dense, Identity
from engine.ir.verify import verify
from tests.graphs import Net
from tests.running import constant


def chain() -> Graph:
    net = Net()
    x = net.input(4)
    y = net.add(Dense(), x, net.weight(4, 3), layer="first")
    return net.graph(net.add(Activate(RELU), y, layer="second"))


def test_a_sound_graph_passes() -> None:
    verify(chain())


def test_an_input_as_output_passes() -> None:
    verify(Graph((0,), (0, 0), (), {0: (3,)}))


def test_input_twice() -> None:
    with pytest.raises(GraphError, match="an input of the graph is listed twice"):
        verify(replace(chain(), inputs=(0, 0)))


@pytest.mark.parametrize("count", [1, 3])
def test_wrong_number_of_operands(count: int) -> None:
    node = Node(Binary("add"), (0,) * count, 1, "sum")
    with pytest.raises(GraphError, match=f"layer 'sum': Binary takes 2 to 2 operands, found {count}"):
        verify(Graph((0,), (1,), (node,), {0: (3,), 1: (3,)}))


def test_value_read_before_it_is_made() -> None:
    graph = chain()
    with pytest.raises(GraphError, match="layer 'second': value 1 is read before it is made"):
        verify(replace(graph, nodes=graph.nodes[::-1]))


def test_value_that_nobody_makes() -> None:
    node = Node(Identity(), (7,), 1, "lost")
    with pytest.raises(GraphError, match="layer 'lost': value 7 is read before it is made"):
        verify(Graph((0,), (1,), (node,), {0: (3,), 1: (3,)}))


def test_declared_shape_is_wrong() -> None:
    graph = chain()
    with pytest.raises(GraphError, match=r"layer 'first': declared shape \(5,\), computed \(3,\)"):
        verify(replace(graph, shapes={**graph.shapes, 1: (5,)}))


def test_operands_that_do_not_fit_name_the_layer() -> None:
    node = Node(Dense(), (0, constant("w", np.zeros((5, 2)))), 1, "fc1")
    with pytest.raises(GraphError, match="layer 'fc1': features of the input: expected 5, found 4"):
        verify(Graph((0,), (1,), (node,), {0: (4,), 1: (2,)}))


def test_value_made_twice() -> None:
    first, again = Node(Identity(), (0,), 1, "first"), Node(Identity(), (0,), 1, "again")
    with pytest.raises(GraphError, match="layer 'again': value 1 is made twice"):
        verify(Graph((0,), (1,), (first, again), {0: (3,), 1: (3,)}))


def test_node_that_makes_an_input() -> None:
    node = Node(Identity(), (0,), 0, "loop")
    with pytest.raises(GraphError, match="layer 'loop': value 0 is made twice"):
        verify(Graph((0,), (0,), (node,), {0: (3,)}))


def test_output_that_is_never_made() -> None:
    with pytest.raises(GraphError, match="output value 5 is never made"):
        verify(replace(chain(), outputs=(5,)))


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_table_of_shapes_lacks_a_value(missing: int) -> None:
    graph = chain()
    shapes = {v: s for v, s in graph.shapes.items() if v != missing}
    with pytest.raises(GraphError, match="the table of shapes and the values of the graph differ"):
        verify(replace(graph, shapes=shapes))


def test_table_of_shapes_has_a_value_too_many() -> None:
    graph = chain()
    with pytest.raises(GraphError, match="the table of shapes and the values of the graph differ"):
        verify(replace(graph, shapes={**graph.shapes, 9: (3,)}))


def test_result_that_nobody_reads() -> None:
    with pytest.raises(GraphError, match="nothing reads the result of layer 'second'"):
        verify(replace(chain(), outputs=(1,)))
