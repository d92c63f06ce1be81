"""Functions of sizes: what a model computes from the shape of a value, done while the graph is built."""

from collections.abc import Callable
from math import prod
from typing import Any, TypeAlias

import numpy as np

from engine.frontend.call import Tensor
from engine.frontend.operations.scope import BATCH, Batch, Scope

MOST = 1 << 20
"""Numbers that a constant made by a file's own arithmetic may have."""
Size: TypeAlias = int | Batch
Sizes: TypeAlias = Size | tuple[Size, ...]


def shape_of(scope: Scope, x: Any) -> Sizes:
    """The shape of a value, the batch in front."""
    return (BATCH, *scope.shape(scope.value(x))) if isinstance(x, Tensor) else (len(scope.listed(x)),)


def _get_item(scope: Scope, x: Any, slice_spec: Any) -> Sizes:
    parts = slice_spec if isinstance(slice_spec, list | tuple) else [slice_spec]
    if len(parts) != 1 or not isinstance(x, tuple | list):
        raise scope.refuse(f"the slice {repr(slice_spec)[:60]} of sizes is not supported")
    if isinstance(parts[0], slice):
        return tuple(x[parts[0]])
    index = scope.integer(parts[0])
    if not -len(x) <= index < len(x):
        raise scope.wrong(f"a place among {len(x)} sizes", index)
    found: Size = x[index]
    return found


def _strided_slice(scope: Scope, x: Any, begin: Any, end: Any, strides: Any, **masks: Any) -> Sizes:
    (low,), (high,), (step,) = scope.integers(begin), scope.integers(end), scope.integers(strides)
    if masks.get("shrink_axis_mask"):
        return _get_item(scope, x, low)
    open_low, open_high = masks.get("begin_mask"), masks.get("end_mask")
    return _get_item(scope, x, slice(None if open_low else low, None if open_high else high, step))


def _stack(scope: Scope, values: Any, axis: Any = 0) -> Sizes:
    return tuple(values)


def _concat(scope: Scope, values: Any, axis: Any = 0) -> Sizes:
    return tuple(size for value in values for size in (value if isinstance(value, list | tuple) else [value]))


def _same(scope: Scope, x: Any, **options: Any) -> Sizes:
    found: Sizes = tuple(x) if isinstance(x, list) else x
    return found


def _product(scope: Scope, x: Any, axis: Any = None, **options: Any) -> Sizes:
    sizes = scope.listed(x)
    return BATCH if sizes == [BATCH] else prod(scope.integers(sizes))


def _arithmetic(compute: Callable[[int, int], int]) -> Callable[..., Sizes]:
    def function(scope: Scope, x: Any, y: Any) -> Sizes:
        if isinstance(x, list | tuple) or isinstance(y, list | tuple):
            count = max(len(item) for item in (x, y) if isinstance(item, list | tuple))
            left, right = (list(item) if isinstance(item, list | tuple) else [item] * count for item in (x, y))
            if len(left) != len(right):
                raise scope.wrong(f"{count} sizes", x)
            return tuple(size for a, b in zip(left, right, strict=True) for size in [function(scope, a, b)])  # type: ignore[misc]
        if isinstance(x, Batch) or isinstance(y, Batch):
            if 1 in (x, y) and compute(6, 1) == 6:
                return BATCH
            raise scope.refuse("computes with the size of the batch")
        return compute(scope.integer(x), scope.integer(y))

    return function


def _tiled(scope: Scope, x: Any, multiples: Any) -> Any:
    """A constant several times along each axis."""
    array, times = scope.array(x), scope.integers(multiples)
    size = array.size * prod(times)
    if size > MOST:
        raise scope.refuse(f"a constant of {size} numbers is too large")
    return np.tile(array, times).tolist()


SIZES: dict[str, Callable[..., Sizes]] = {
    "__operators__.getitem": _get_item,
    "raw.StridedSlice": _strided_slice,
    **dict.fromkeys(("stack", "raw.Pack"), _stack),
    **dict.fromkeys(("concat", "raw.ConcatV2"), _concat),
    **dict.fromkeys(("cast", "raw.Cast", "identity"), _same),
    "tile": _tiled,
    **dict.fromkeys(("math.reduce_prod", "raw.Prod"), _product),
    **dict.fromkeys(("math.add", "__operators__.add", "raw.AddV2"), _arithmetic(lambda a, b: a + b)),
    **dict.fromkeys(("math.subtract", "__operators__.sub", "raw.Sub"), _arithmetic(lambda a, b: a - b)),
    **dict.fromkeys(("math.multiply", "__operators__.mul", "raw.Mul"), _arithmetic(lambda a, b: a * b)),
    **dict.fromkeys(
        ("math.floordiv", "__operators__.floordiv", "compat.v1.floor_div", "raw.FloorDiv"),
        _arithmetic(lambda a, b: a // (b or 1)),
    ),
}
"""By the name of the function; results are the sizes, not values of the graph."""
