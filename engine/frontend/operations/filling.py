"""Constants as large as the batch, which only a call tells: zeros, ones, a number, an array for each example."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.frontend.operations.scope import BATCH, Scope
from engine.ir.ops import Reshape, Select, Slice

MOST = 1 << 24


def has_batch(value: Any) -> bool:
    """Whether the size of the batch stands anywhere in the arguments."""
    return value is BATCH or (isinstance(value, list | tuple) and any(has_batch(item) for item in value))


def _for_each_example(scope: Scope, array: NDArray[Any]) -> int:
    """A constant for each example: chosen whatever one number of the model's first value is."""
    if array.size > MOST:
        raise scope.refuse(f"a constant of {array.size} numbers is too large")
    value, shape = next(iter(scope.call.emitter.shapes.items()))
    ones = (1,) * len(shape)
    one = scope.emit(Slice((0,) * len(shape), ones, ones), value) if shape else value
    kept = scope.constant(array)
    return scope.emit(Select(), scope.emit(Reshape(()), one), kept, kept)


def _sizes(scope: Scope, shape: Any) -> list[int]:
    first, *rest = scope.listed(shape)
    if first is not BATCH:
        raise scope.refuse("the batch is not the first axis")
    return scope.integers(rest)


def _zeros(scope: Scope, shape: Any) -> int:
    return _for_each_example(scope, np.zeros(_sizes(scope, shape)))


def _ones(scope: Scope, shape: Any) -> int:
    return _for_each_example(scope, np.ones(_sizes(scope, shape)))


def _full(scope: Scope, dims: Any, value: Any) -> int:
    return _for_each_example(scope, np.full(_sizes(scope, dims), scope.number(value)))


def _tiled(scope: Scope, x: Any, multiples: Any) -> int:
    array, times = scope.array(x), _sizes(scope, multiples)
    if array.ndim != len(times) + 1 or len(array) != 1:
        raise scope.refuse(f"a constant of shape {array.shape} for each example")
    return _for_each_example(scope, np.tile(array[0], times))


def _spread(scope: Scope, x: Any, shape: Any) -> int:
    array, sizes = scope.array(x), _sizes(scope, shape)
    if array.ndim > len(sizes) and len(array) == 1:
        array = array[0]
    try:
        return _for_each_example(scope, np.broadcast_to(array, sizes))
    except ValueError:
        raise scope.wrong(f"a constant that spreads to {sizes}", array.shape) from None


FILLED: dict[str, Callable[..., int]] = {
    "zeros": _zeros,
    "ones": _ones,
    **dict.fromkeys(("fill", "raw.Fill"), _full),
    **dict.fromkeys(("tile", "raw.Tile"), _tiled),
    **dict.fromkeys(("broadcast_to", "raw.BroadcastTo"), _spread),
}
"""By the name of the function."""
