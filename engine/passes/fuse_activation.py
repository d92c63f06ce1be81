"""An activation moves into the operation before it, which applies it while the result is still in cache."""

from dataclasses import replace

from engine.ir.graph import Graph
from engine.ir.ops import LINEAR, Activate, Binary, Conv, ConvTranspose, Dense, DepthwiseConv, ScaleShift
from engine.passes.rewrite import rebuild

FUSING = (Conv, ConvTranspose, DepthwiseConv, Dense, ScaleShift, Binary)


def fuse_activation(graph: Graph) -> Graph:
    """Where the operation has none yet and nothing else reads its result."""
    uses = graph.uses()
    latest = graph.producers()
    renamed: dict[int, int] = {}
    for node in graph.nodes:
        if not isinstance(node.op, Activate):
            continue
        before = latest.get(node.values[0])
        if before and isinstance(before.op, FUSING) and before.op.activation == LINEAR and uses[before.output] == 1:
            latest[before.output] = replace(before, op=replace(before.op, activation=node.op.activation))
            renamed[node.output] = before.output
    nodes = (latest[node.output] for node in graph.nodes if node.output not in renamed)
    return rebuild(graph, nodes, renamed)
