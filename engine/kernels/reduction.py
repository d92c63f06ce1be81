"""What a pool does with the cells of a window."""

from types import SimpleNamespace

from numba import njit


def Reduction(simd, variant) -> SimpleNamespace:  # noqa: N802  # a bag, as Simd is
    """`start`, `join(total, x)` and `finish(total, cells)` of the variant `max` or `mean`. NaN stays NaN."""
    where_less, where_nan = simd.where_less, simd.where_nan
    if variant == "max":
        join = njit(lambda total, x: where_nan(x, x, where_less(total, x, x, total)))
        return SimpleNamespace(start=float("-inf"), join=join, finish=njit(lambda total, cells: total))
    join = njit(lambda total, x: total + x)
    return SimpleNamespace(start=0.0, join=join, finish=njit(lambda total, cells: total / float(cells)))
