"""The rules that every graph obeys, checked after the frontend and after each pass."""

from engine.errors import GraphError, LimitExceededError
from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import Shape

MAX_SIZE = 2**31 - 1
"""Elements of a constant."""


def verify(graph: Graph) -> None:
    """Raise `GraphError`, naming the layer, where a graph breaks a rule."""
    made = set(graph.inputs)
    if len(made) != len(graph.inputs):
        raise GraphError("an input of the graph is listed twice")
    if made | {node.output for node in graph.nodes} != set(graph.shapes):
        raise GraphError("the table of shapes and the values of the graph differ")
    for node in graph.nodes:
        _check_operands(node, made)
        found = result_shape(node, graph)
        if graph.shapes[node.output] != found:
            raise GraphError(f"layer {node.layer!r}: declared shape {graph.shapes[node.output]}, computed {found}")
        if node.output in made:
            raise GraphError(f"layer {node.layer!r}: value {node.output} is made twice")
        made.add(node.output)
    for value in graph.outputs:
        if value not in made:
            raise GraphError(f"output value {value} is never made")
    uses = graph.uses()
    unread = [node.layer for node in graph.nodes if uses[node.output] == 0]
    if unread:
        raise GraphError(f"nothing reads the result of layer {unread[0]!r}")


def result_shape(node: Node, graph: Graph) -> Shape:
    """The shape of a node's result from its operands' shapes; errors name the layer."""
    shapes = [o.shape if isinstance(o, Weight) else graph.shapes[o] for o in node.operands]
    try:
        return node.op.result(*shapes)
    except GraphError as error:
        raise GraphError(f"layer {node.layer!r}: {error}") from None


def _check_operands(node: Node, made: set[int]) -> None:
    low, high = node.op.operands
    if not low <= len(node.operands) <= high:
        name = type(node.op).__name__
        raise GraphError(f"layer {node.layer!r}: {name} takes {low} to {high} operands, found {len(node.operands)}")
    for weight in node.weights:
        if weight.size > MAX_SIZE:
            raise LimitExceededError(f"layer {node.layer!r}: a constant of shape {weight.shape} is too large")
    for value in node.values:
        if value not in made:
            raise GraphError(f"layer {node.layer!r}: value {value} is read before it is made")
