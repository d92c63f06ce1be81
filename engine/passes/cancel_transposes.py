"""Transposes in a row become one, or none: channels-first models are transposed around every layer."""

from dataclasses import replace

from engine.ir.graph import Graph, Node
from engine.ir.ops import Activate, Transpose
from engine.passes.rewrite import rebuild


def cancel_transposes(graph: Graph) -> Graph:
    """Transposes move behind elementwise functions, meet and merge."""
    graph = _sink(graph)
    made = graph.producers()
    nodes: list[Node] = []
    renamed: dict[int, int] = {}
    for node in graph.nodes:
        if isinstance(node.op, Transpose):
            source, axes = renamed.get(node.values[0], node.values[0]), node.op.axes
            before = made.get(source)
            if before and isinstance(before.op, Transpose):
                source, axes = before.values[0], tuple(before.op.axes[a] for a in axes)
            if axes == tuple(range(len(axes))):
                renamed[node.output] = source
                continue
            node = made[node.output] = replace(node, op=Transpose(axes), operands=(source,))  # noqa: PLW2901
        nodes.append(node)
    return rebuild(graph, nodes, renamed)


def _sink(graph: Graph) -> Graph:
    """transpose → activation becomes activation → transpose, where nothing else reads the transposed value."""
    made, uses = graph.producers(), graph.uses()
    shapes = dict(graph.shapes)
    nodes = {node.output: node for node in graph.nodes}
    for node in graph.nodes:
        before = made.get(node.values[0]) if isinstance(node.op, Activate) else None
        if before and isinstance(before.op, Transpose) and uses[before.output] == 1:
            first = Node(node.op, before.operands, before.output, node.layer)
            second = Node(before.op, (before.output,), node.output, before.layer)
            shapes[before.output] = shapes[before.values[0]]
            for changed in (first, second):
                nodes[changed.output] = made[changed.output] = changed
    return Graph(graph.inputs, graph.outputs, tuple(nodes.values()), shapes)
