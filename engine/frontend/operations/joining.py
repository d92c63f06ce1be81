"""Functions of lists: joining, stacking, splitting; and padding."""

from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from engine.errors import GraphError
from engine.frontend.config import table
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import operation
from engine.ir.ops import Concat, Gather, Pad, Pair, Slice


@operation("Concatenate xs axis", "concat values axis", "raw.ConcatV2")
def concatenate(scope: Scope, xs: Any, axis: Any = 0) -> int:
    """Values joined along an axis."""
    values = scope.values(xs)
    rank = scope.rank(values[0])
    return scope.emit(Concat(scope.axis(axis, rank) - rank), *values)


@operation("Append x1 x2 axis")
def append(scope: Scope, x: Any, y: Any, axis: Any = 0) -> int:
    """A value after another along an axis."""
    return concatenate(scope, [x, y], axis)  # type: ignore[return-value]


@operation("Hstack xs")
def side_by_side(scope: Scope, xs: Any) -> int:
    """Values joined along the first axis beside the batch."""
    return concatenate(scope, xs, 1)  # type: ignore[return-value]


@operation("Dstack xs")
def one_behind_another(scope: Scope, xs: Any) -> int:
    """Values joined along the second axis beside the batch."""
    return concatenate(scope, xs, 2)  # type: ignore[return-value]


@operation("Stack x axis", "stack values axis", "raw.Pack values axis")
def stack(scope: Scope, x: Any, axis: Any = 0) -> int:
    """Values joined along a new axis."""
    values = scope.values(x)
    shape = scope.shape(values[0])
    at = scope.axis(axis, len(shape) + 1)
    widened = [scope.reshape(v, (*scope.shape(v)[:at], 1, *scope.shape(v)[at:])) for v in values]
    return scope.emit(Concat(at - len(shape) - 1), *widened)


@operation("Unstack x num axis", "unstack value num axis", "raw.Unpack value num axis")
def unstack(scope: Scope, x: Any, num: Any = None, axis: Any = 0) -> tuple[int, ...]:
    """The parts along an axis, without it."""
    value = scope.value(x)
    shape = scope.shape(value)
    at = scope.axis(axis, len(shape))
    parts = _cut(scope, value, at, list(table(shape[at])[1:]))
    return tuple(scope.reshape(y, (*shape[:at], *shape[at + 1 :])) for y in parts)


@operation("Split x indices_or_sections axis", "ArraySplit x indices_or_sections axis")
def split(scope: Scope, x: Any, parts: Any, axis: Any = 0) -> tuple[int, ...]:
    """Equal parts along an axis, or parts that end at given places."""
    value = scope.value(x)
    at = scope.axis(axis, scope.rank(value))
    ends = scope.integers(parts)
    if not isinstance(parts, list | tuple | np.ndarray):
        ends = _equal(scope.shape(value)[at], ends[0])
    return _cut(scope, value, at, ends)


@operation("split value num_or_size_splits axis", "raw.SplitV value size_splits axis")
def split_sizes(scope: Scope, x: Any, parts: Any, axis: Any = 0) -> tuple[int, ...]:
    """Equal parts along an axis, or parts of given sizes."""
    value = scope.value(x)
    at = scope.axis(axis, scope.rank(value))
    size, counts = scope.shape(value)[at], scope.integers(parts)
    if not isinstance(parts, list | tuple | np.ndarray):
        return _cut(scope, value, at, _equal(size, counts[0]))
    known = sum(n for n in counts if n != -1)
    counts = [size - known if n == -1 else n for n in counts]
    if sum(counts) != size:
        raise GraphError(f"parts of {counts} do not make up an axis of {size}")
    return _cut(scope, value, at, [int(end) for end in np.cumsum(counts)[:-1]])


@operation("raw.Split axis value num_split")
def split_node(scope: Scope, axis: Any, x: Any, parts: Any) -> tuple[int, ...]:
    """As split, with the axis in front."""
    return split_sizes(scope, x, parts, axis)  # type: ignore[return-value]


def _equal(size: int, parts: int) -> list[int]:
    if parts < 1 or size % parts:
        raise GraphError(f"{parts} parts do not divide an axis of {size}")
    return list(range(size // parts, size, size // parts))


def _cut(scope: Scope, x: int, axis: int, ends: list[int]) -> tuple[int, ...]:
    shape = scope.shape(x)
    results = []
    for low, high in pairwise([0, *ends, shape[axis]]):
        begin, count = [0] * len(shape), list(shape)
        begin[axis], count[axis] = low, high - low
        results.append(scope.emit(Slice(tuple(begin), tuple(count), (1,) * len(shape)), x))
    return tuple(results)


@operation(
    "Pad x pad_width mode constant_values", "pad tensor paddings mode constant_values", "raw.Pad",
    "compat.v1.pad tensor paddings mode constant_values", "raw.PadV2 input paddings mode constant_values",
    "raw.MirrorPad input paddings mode",
)  # fmt: skip
def pad(scope: Scope, x: Any, paddings: Any, mode: Any = "constant", constant_values: Any = None) -> int:
    """More elements before and after along each axis: a number, or the value's own mirrored."""
    value = scope.value(x)
    pairs = _pairs(scope, paddings, scope.rank(value) + 1)
    if pairs[0] != (0, 0):
        raise scope.refuse("pads the batch")
    kind = scope.choice(mode, "constant", "reflect", "symmetric", "edge")
    if kind != "constant":
        return _mirrored(scope, value, pairs[1:], kind)
    fill = 0.0 if constant_values is None else scope.number(constant_values)
    before = scope.shape(value)
    y = _zeros_around(scope, value, pairs[1:])
    if fill == 0.0 or y == value:
        return y
    inside = np.zeros(before)
    return scope.binary("add", y, scope.constant(np.pad(inside, pairs[1:], constant_values=fill)))


def _pairs(scope: Scope, paddings: Any, rank: int) -> list[Pair]:
    array = scope.array(paddings)
    if array.ndim < 2:
        array = np.broadcast_to(array, (rank, 2))
    if array.shape != (rank, 2) or array.min() < 0:
        raise scope.wrong(f"{rank} pairs of padding", paddings)
    return [(int(a), int(b)) for a, b in array]


def _zeros_around(scope: Scope, x: int, pairs: list[Pair]) -> int:
    if len(pairs) == 3 and pairs[2] == (0, 0):
        return scope.emit(Pad((pairs[0], pairs[1])), x) if any(map(any, pairs)) else x
    for axis, pair in enumerate(pairs):
        if pair != (0, 0):
            shape = scope.shape(x)
            y = scope.reshape(x, (prod(shape[:axis]), shape[axis], 1, prod(shape[axis + 1 :])))
            y = scope.emit(Pad((pair, (0, 0))), y)
            x = scope.reshape(y, (*shape[:axis], shape[axis] + sum(pair), *shape[axis + 1 :]))
    return x


def _mirrored(scope: Scope, x: int, pairs: list[Pair], kind: str) -> int:
    for axis, pair in enumerate(pairs):
        size, rank = scope.shape(x)[axis], scope.rank(x)
        if kind != "edge" and max(pair) > size - (kind == "reflect"):
            raise GraphError(f"padding {pair} is more than an axis of {size} can mirror")
        if pair != (0, 0):
            places = np.pad(np.arange(len(table(size))), pair, mode=kind)  # type: ignore[call-overload]
            x = scope.emit(Gather(axis - rank, tuple(int(i) for i in places)), x)
    return x
