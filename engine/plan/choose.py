"""Which algorithm computes a node: first those that may, then the one that costs least."""

from collections.abc import Sequence

from engine.errors import GraphError
from engine.ir.ops import (
    Activate,
    Binary,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalPool,
    Op,
    Pad,
    Pool,
    ScaleShift,
    Softmax,
    Transpose,
)
from engine.plan.algorithms import conv, depthwise, elementwise, gemm, pool
from engine.plan.site import Algorithm, Site

ALGORITHMS: dict[type[Op], tuple[Algorithm, ...]] = {
    Conv: conv.ALGORITHMS,
    DepthwiseConv: depthwise.ALGORITHMS,
    Dense: gemm.DENSE,
    Pool: pool.WINDOW,
    GlobalPool: pool.GLOBAL,
    Activate: elementwise.MAP,
    Softmax: elementwise.SOFTMAX,
    ScaleShift: elementwise.SCALE_SHIFT,
    Binary: elementwise.BINARY,
    Pad: elementwise.PAD,
    Concat: elementwise.CONCAT,
    Transpose: elementwise.TRANSPOSE,
}


def legal(site: Site) -> list[Algorithm]:
    """The algorithms that compute this node; `GraphError` names the layer if there is none."""
    found = [a for a in ALGORITHMS.get(type(site.op), ()) if a.applies(site)]
    if not found:
        raise GraphError(f"layer {site.node.layer!r}: no algorithm for {type(site.op).__name__} on {site.shape}")
    return found


def choose(candidates: Sequence[Algorithm], site: Site) -> Algorithm:
    """The one of least estimated cost; of equals the first."""
    return min(candidates, key=lambda algorithm: algorithm.cost(site))
