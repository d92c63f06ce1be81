"""What becomes of many numbers that are joined to one."""

from types import SimpleNamespace

from numba import njit


def Reduction(simd, variant) -> SimpleNamespace:  # noqa: N802  # a bag, as Simd is
    """`start`, `join(total, x)` and `finish(total, cells)` of max, min, mean, sum or prod. NaN stays NaN."""
    where_less, where_nan = simd.where_less, simd.where_nan
    add = njit(lambda total, x: total + x)
    as_it_is = njit(lambda total, cells: total)
    start, join, finish = {
        "max": (float("-inf"), njit(lambda total, x: where_nan(x, x, where_less(total, x, x, total))), as_it_is),
        "min": (float("inf"), njit(lambda total, x: where_nan(x, x, where_less(x, total, x, total))), as_it_is),
        "mean": (0.0, add, njit(lambda total, cells: total / float(cells))),
        "sum": (0.0, add, as_it_is),
        "prod": (1.0, njit(lambda total, x: total * x), as_it_is),
    }[variant]
    return SimpleNamespace(start=start, join=join, finish=finish)
