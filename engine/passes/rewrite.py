"""What passes share: a graph with some nodes replaced, and values that nobody reads any more left out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.ir.graph import Graph, Node


def rebuild(graph: Graph, nodes: Iterable[Node], renamed: Mapping[int, int] | None = None) -> Graph:
    """The graph with these nodes; values in `renamed` are read as the value they map to (chains are followed)."""
    names = dict(renamed or {})

    def final(value: int) -> int:
        while value in names:
            value = names[value]
        return value

    kept = [replace(n, operands=tuple(final(o) if isinstance(o, int) else o for o in n.operands)) for n in nodes]
    outputs = tuple(final(v) for v in graph.outputs)
    needed = set(outputs)
    live: list[Node] = []
    for node in reversed(kept):
        if node.output in needed:
            needed.update(node.values)
            live.append(node)
    values = (*graph.inputs, *(n.output for n in reversed(live)))
    return Graph(graph.inputs, outputs, tuple(reversed(live)), {v: graph.shapes[v] for v in values})
