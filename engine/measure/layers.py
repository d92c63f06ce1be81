"""Which of a model's layers each operation of the optimised graph stands for."""

from collections.abc import Iterable

from engine.ir.graph import Graph, Node
from engine.ir.ops import Pad


def covered(graph: Graph, outputs: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The layers behind each of `outputs`, values that operations of the optimised `graph` still make.

    A node that passes have taken away went into the operation that makes its operand; padding went into its reader.
    """
    kept = set(outputs)
    groups: dict[int, list[str]] = {v: [] for v in kept}
    home: dict[int, int] = {}
    waiting: dict[int, list[str]] = {}
    for node in graph.nodes:
        before = [layer for v in node.values for layer in waiting.get(v, [])]
        place = node.output if node.output in kept else _home_of(node, home)
        if place is None:
            waiting[node.output] = [*before, node.layer]
            continue
        home[node.output] = place
        groups[place] += [*before, node.layer]
    return {v: tuple(dict.fromkeys(names)) for v, names in groups.items()}


def _home_of(node: Node, home: dict[int, int]) -> int | None:
    if isinstance(node.op, Pad):
        return None
    return max((home[v] for v in node.values if v in home), default=None)
