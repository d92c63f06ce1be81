"""Functions that turn numbers of classes into vectors, and sums along an axis."""

from typing import Any

import numpy as np

from engine.frontend.config import table
from engine.frontend.layers.geometry import over_axes
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import operation
from engine.frontend.weights import MAX_DERIVED
from engine.ir.ops import Dense, Reduce, Transpose


@operation("OneHot x num_classes axis dtype", "one_hot indices depth axis dtype")
def one_hot(scope: Scope, x: Any, depth: Any, axis: Any = -1, dtype: Any = None) -> int:
    """1 at the place of each number along a new axis, else 0."""
    value, size = scope.value(x), scope.integer(depth)
    rank = scope.rank(value) + 1
    at = scope.axis(axis, rank)
    places = scope.constant(np.array(table(size, MAX_DERIVED)))
    y = scope.binary("equal", scope.reshape(value, (*scope.shape(value), 1)), places)
    order = [*range(rank - 1)]
    order.insert(at, rank - 1)
    return y if at == rank - 1 else scope.emit(Transpose(tuple(order)), y)


@operation("MultiHot inputs num_classes axis dtype")
def multi_hot(scope: Scope, x: Any, depth: Any, axis: Any = -1, dtype: Any = None) -> int:
    """1 at the place of every number of the first axis beside the batch, else 0."""
    rank = scope.rank(scope.value(x))
    if rank < 1 or scope.integer(axis) != -1:
        raise scope.refuse("only the last axis is supported")
    hot = one_hot(scope, x, depth)
    return scope.emit(Reduce("max", (-rank - 1,)), hot)  # type: ignore[arg-type]


@operation("Cumsum x axis", "math.cumsum x axis exclusive reverse", "cumsum x axis exclusive reverse")
def cumulative_sum(scope: Scope, x: Any, axis: Any = None, exclusive: Any = False, reverse: Any = False) -> int:
    """The sum of all elements up to each along an axis."""
    value = scope.value(x)
    axes = scope.axes(0 if axis is None else axis, scope.rank(value))
    size = scope.shape(value)[axes[0]]
    matrix = np.triu(np.ones((size, size)), int(scope.flag(exclusive)))
    kernel = scope.constant(matrix.T if scope.flag(reverse) else matrix)
    return over_axes(scope.call, value, axes, lambda v: scope.emit(Dense(), v, kernel))
