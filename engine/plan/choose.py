"""Which algorithm computes a node: first those that may, then the one that costs least."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from engine.errors import GraphError
from engine.plan.algorithms import (
    conv,
    depthwise,
    elementwise,
    gemm,
    local,
    pool,
    products,
    reduction,
    selection,
    sequence,
    transposed,
)
from engine.plan.site import Algorithm, Site, Table

FAMILIES = (conv, depthwise, elementwise, gemm, local, pool, products, reduction, selection, sequence, transposed)
Choice: TypeAlias = Callable[[Sequence[Algorithm], Site], Algorithm]

ALGORITHMS: Table = {op: ways for family in FAMILIES for op, ways in family.ALGORITHMS.items()}


def legal(site: Site) -> list[Algorithm]:
    """The algorithms that compute this node; `GraphError` names the layer if there is none."""
    found = [a for a in ALGORITHMS.get(type(site.op), ()) if a.applies(site)]
    if not found:
        raise GraphError(f"layer {site.node.layer!r}: no algorithm for {type(site.op).__name__} on {site.shape}")
    return found


def choose(candidates: Sequence[Algorithm], site: Site) -> Algorithm:
    """The one of least estimated cost; of equals the first."""
    return min(candidates, key=lambda algorithm: algorithm.cost(site))


def sparing(otherwise: Choice) -> Choice:
    """Chooses among the algorithms whose weights take no more room than the operation's own, if there are such."""

    def chosen(candidates: Sequence[Algorithm], site: Site) -> Algorithm:
        small = [algorithm for algorithm in candidates if not getattr(algorithm, "inflates", False)]
        return otherwise(small or candidates, site)

    return chosen
