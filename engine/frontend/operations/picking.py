"""Functions that pick elements by their places."""

from typing import Any

import numpy as np

from engine.frontend.call import Tensor
from engine.frontend.config import table
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.slicing import flip, taken
from engine.frontend.operations.table import operation
from engine.frontend.weights import MAX_DERIVED
from engine.ir.ops import Embed, Gather, Reduce, Select, Transpose

_ALL = slice(None)


@operation("Take x indices axis")
def take(scope: Scope, x: Any, indices: Any, axis: Any = None) -> int:
    """The elements at constant places along an axis, or the rows of a constant table that a value numbers."""
    if not isinstance(x, Tensor) and axis is None:
        x, axis = scope.array(x).reshape(-1), 0
    return gather(scope, x, indices, axis)  # type: ignore[return-value]


@operation(
    "gather params indices axis batch_dims validate_indices",
    "compat.v1.gather params indices axis batch_dims validate_indices", "raw.GatherV2 params indices axis batch_dims",
)  # fmt: skip
def gather(
    scope: Scope, x: Any, indices: Any, axis: Any = None, batch_dims: Any = None, validate_indices: Any = None
) -> int:
    """As take; no axis is the first one."""
    axis = 0 if axis is None else axis
    if isinstance(indices, Tensor):
        return _rows(scope, x, indices.value, axis)
    value, places = scope.value(x), scope.array(indices)
    at = scope.axis(axis, scope.rank(value))
    shape = scope.shape(value)
    numbers = tuple(int(i) % shape[at] if -shape[at] <= i < 0 else int(i) for i in places.reshape(-1))
    y = scope.emit(Gather(at - len(shape), numbers), value)
    return scope.reshape(y, (*shape[:at], *places.shape, *shape[at + 1 :]))


@operation("nn.embedding_lookup params ids", "raw.ResourceGather params ids")
def look_up(scope: Scope, table: Any, ids: Any) -> int:
    """The rows of a constant table that a value numbers."""
    return _rows(scope, table, scope.value(ids), 0)


def _rows(scope: Scope, table: Any, ids: int, axis: Any) -> int:
    if isinstance(table, Tensor):
        raise scope.refuse("places that are computed are supported in a constant only")
    array = scope.array(table)
    if array.ndim < 1 or scope.integer(axis) % array.ndim:
        raise scope.refuse(f"places along axis {axis} of a constant of shape {array.shape} are not supported")
    y = scope.emit(Embed(), ids, scope.constant(array.reshape(len(array), -1)))
    return scope.reshape(y, (*scope.shape(ids), *array.shape[1:]))


@operation("Fliplr x")
def flip_second(scope: Scope, x: Any) -> int:
    """The first axis beside the batch from the last to the first."""
    return flip(scope, x, 1)  # type: ignore[return-value]


def _masked(scope: Scope, x: Any, keep: Any) -> int:
    value = scope.value(x)
    rows, columns = scope.shape(value)[-2:]
    return scope.emit(Select(), scope.constant(keep(rows, columns)), value, scope.number_of(0.0))


@operation("Tril x k")
def lower(scope: Scope, x: Any, k: Any = 0) -> int:
    """The last two axes with zeros above a diagonal."""
    diagonal = scope.integer(k)
    return _masked(scope, x, lambda rows, columns: np.tri(rows, columns, diagonal))


@operation("Triu x k")
def upper(scope: Scope, x: Any, k: Any = 0) -> int:
    """The last two axes with zeros below a diagonal."""
    diagonal = scope.integer(k)
    return _masked(scope, x, lambda rows, columns: 1 - np.tri(rows, columns, diagonal - 1))


@operation("linalg.band_part input num_lower num_upper", "raw.MatrixBandPart input num_lower num_upper")
def band(scope: Scope, x: Any, below: Any, above: Any) -> int:
    """The last two axes with zeros but near the diagonal; −1 stands for all on that side."""
    low, high = scope.integer(below), scope.integer(above)

    def keep(rows: int, columns: int) -> Any:
        table(rows * columns, MAX_DERIVED)
        distance = np.arange(columns) - np.arange(rows)[:, None]
        return ((low < 0) | (-distance <= low)) & ((high < 0) | (distance <= high))

    return _masked(scope, x, keep)


@operation("Diagonal x offset axis1 axis2", "linalg.diag_part input")
def diagonal(scope: Scope, x: Any, offset: Any = 0, first: Any = -2, second: Any = -1) -> int:
    """The elements of the last two axes whose places are alike."""
    value = scope.value(x)
    rank = scope.rank(value)
    if [scope.axis(first, rank), scope.axis(second, rank)] != [rank - 2, rank - 1]:
        raise scope.refuse("a diagonal of other than the last two axes is not supported")
    *lead, rows, columns = scope.shape(value)
    by = scope.integer(offset)
    places = [r * columns + r + by for r in table(rows) if 0 <= r + by < columns]
    flat = scope.reshape(value, (*lead, rows * columns))
    return scope.emit(Gather(-1, tuple(places)), flat)


@operation("Diff a n axis")
def difference(scope: Scope, x: Any, n: Any = 1, axis: Any = -1) -> int:
    """Each element less the one before along an axis, n times."""
    value = scope.value(x)
    at = scope.axis(axis, scope.rank(value))
    for _ in table(scope.integer(n)):
        later = [slice(1, None) if i == at else _ALL for i in range(scope.rank(value))]
        earlier = [slice(0, -1) if i == at else _ALL for i in range(scope.rank(value))]
        value = scope.binary("sub", taken(scope, value, later), taken(scope, value, earlier))
    return value


@operation("Trace x offset axis1 axis2", "linalg.trace x")
def trace(scope: Scope, x: Any, offset: Any = 0, first: Any = -2, second: Any = -1) -> int:
    """The sum of the elements of two axes whose places are alike."""
    value = scope.value(x)
    rank = scope.rank(value)
    axes = scope.axis(first, rank), scope.axis(second, rank)
    order = [*(a for a in range(rank) if a not in axes), *axes]
    moved = value if order == list(range(rank)) else scope.emit(Transpose(tuple(order)), value)
    return scope.emit(Reduce("sum", (-1,)), diagonal(scope, Tensor(moved), offset))  # type: ignore[arg-type]


@operation("Rot90 array k axes")
def turned(scope: Scope, x: Any, k: Any = 1, axes: Any = (0, 1)) -> int:
    """Two axes turned by so many right angles."""
    value = scope.value(x)
    rank = scope.rank(value)
    first, second = (scope.axis(axis, rank) for axis in scope.listed(axes))
    order = list(range(rank))
    order[first], order[second] = second, first
    for _ in range(scope.integer(k) % 4):
        value = scope.emit(Transpose(tuple(order)), flip(scope, Tensor(value), second + 1))  # type: ignore[arg-type]
    return value
