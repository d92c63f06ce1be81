"""Graph to graph: one file a pass; `PASSES` is the whole order. The graph is verified after each."""

from engine.errors import GraphError
from engine.ir.graph import Graph
from engine.ir.verify import verify
from engine.passes.cancel_transposes import cancel_transposes
from engine.passes.drop_identities import drop_identities
from engine.passes.expand_conv_transpose import expand_conv_transpose
from engine.passes.fold_pad import fold_pad
from engine.passes.fold_scale_before import fold_scale_before
from engine.passes.fold_scale_shift import fold_scale_shift
from engine.passes.fuse_activation import fuse_activation
from engine.passes.simplify_conv import simplify_conv

PASSES = (
    drop_identities,
    cancel_transposes,
    fold_pad,
    fold_scale_shift,
    fold_scale_before,
    fuse_activation,
    expand_conv_transpose,
    simplify_conv,
)


def optimise(graph: Graph) -> Graph:
    """The graph after all passes. A pass that breaks a rule is named in the `GraphError`."""
    for rewrite in PASSES:
        graph = rewrite(graph)
        try:
            verify(graph)
        except GraphError as error:
            raise GraphError(f"after pass {rewrite.__name__}: {error}") from None
    return graph
