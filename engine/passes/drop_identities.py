"""Leave out what changes nothing: dropout and its like, reshapes to the same shape, a linear activation."""

from engine.ir.graph import Graph, Node
from engine.ir.ops import LINEAR, Activate, Identity, Reshape
from engine.passes.rewrite import rebuild


def drop_identities(graph: Graph) -> Graph:
    """Readers of such a node read its operand instead."""
    dropped = {node.output: node.values[0] for node in graph.nodes if _changes_nothing(node, graph)}
    return rebuild(graph, (node for node in graph.nodes if node.output not in dropped), dropped)


def _changes_nothing(node: Node, graph: Graph) -> bool:
    if isinstance(node.op, Reshape):
        return graph.shapes[node.values[0]] == node.op.shape
    return isinstance(node.op, Identity) or node.op == Activate(LINEAR)
