"""Fractional pooling as functions; only their first result, the pooled image, is computed."""

from typing import Any, Literal

from engine.frontend.config import table
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import operation
from engine.ir.fractional import fractional_regions
from engine.ir.ops import RegionPool


@operation("nn.fractional_max_pool value pooling_ratio pseudo_random overlapping seed")
def fractional_max_pool(
    scope: Scope, x: Any, ratio: Any, pseudo_random: Any = False, overlapping: Any = False, seed: Any = 0
) -> int:
    """The maximum of regions whose sizes differ by one, drawn from a seed."""
    return _fractional(scope, "max", x, ratio, pseudo_random, overlapping, seed)


@operation("nn.fractional_avg_pool value pooling_ratio pseudo_random overlapping seed")
def fractional_average_pool(
    scope: Scope, x: Any, ratio: Any, pseudo_random: Any = False, overlapping: Any = False, seed: Any = 0
) -> int:
    """The mean of regions whose sizes differ by one, drawn from a seed."""
    return _fractional(scope, "mean", x, ratio, pseudo_random, overlapping, seed)


def _fractional(
    scope: Scope, kind: Literal["max", "mean"], x: Any, ratio: Any, pseudo_random: Any, overlapping: Any, seed: Any
) -> int:
    value = scope.image(x)
    h, w, _ = scope.shape(value)
    table(max(h, w))
    ratios = [scope.number(r) for r in scope.listed(ratio)]
    ratios = ratios[1:3] if len(ratios) == 4 else ratios * (3 - len(ratios))
    rows, columns = fractional_regions(
        (h, w),
        (ratios[0], ratios[1]),
        pseudo_random=scope.flag(pseudo_random),
        overlapping=scope.flag(overlapping),
        seed=scope.integer(seed or 0),
    )
    return scope.emit(RegionPool(kind, rows, columns), value)
