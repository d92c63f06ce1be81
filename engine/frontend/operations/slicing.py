"""Functions that take a part of a value, or repeat it."""

from math import prod
from typing import Any

import numpy as np

from engine.errors import GraphError
from engine.frontend.config import table
from engine.frontend.operations.scope import BATCH, Scope
from engine.frontend.operations.table import operation
from engine.ir.ops import Gather, Shape, Slice

_ALL = slice(None)


@operation("GetItem x key", "__operators__.getitem x slice_spec")
def get_item(scope: Scope, x: Any, key: Any) -> int:
    """Python's x[key], whose first part must leave the batch whole."""
    value = scope.value(x)
    parts = list(key) if isinstance(key, list | tuple) else [key]
    rank = scope.rank(value) + 1
    missing = rank - sum(part is not None and part is not Ellipsis for part in parts)
    if missing < 0 or sum(part is Ellipsis for part in parts) > 1:
        raise GraphError(f"the slice has {len(parts)} parts for {rank} axes")
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
    parts[at : at + 1] = [_ALL] * missing
    first, *rest = parts
    if not isinstance(first, slice) or first != _ALL:
        raise scope.refuse("takes a part of the batch")
    return taken(scope, value, rest)


def taken(scope: Scope, x: int, parts: list[Any]) -> int:
    """A part of each example: for each axis a slice or a number, and None for a new axis."""
    shape = scope.shape(x)
    begin, count, step, kept = [], [], [], []
    sizes = iter(shape)
    for part in parts:
        if part is None:
            kept.append(1)
            continue
        size = next(sizes)
        if isinstance(part, slice):
            places = range(*part.indices(size))
            kept.append(len(places))
        else:
            index = scope.integer(part)
            if not -size <= index < size:
                raise GraphError(f"there is no element {index} along an axis of {size}")
            places = range(index % size, index % size + 1)
        if not places:
            raise GraphError(f"the slice {part} of an axis of {size} is empty")
        begin.append(places.start)
        count.append(len(places))
        step.append(places.step)
    if tuple(count) != shape or min(step, default=1) < 0:
        x = scope.emit(Slice(tuple(begin), tuple(count), tuple(step)), x)
    return scope.reshape(x, kept)


@operation("raw.StridedSlice input begin end strides begin_mask end_mask ellipsis_mask new_axis_mask shrink_axis_mask")
def strided_slice(
    scope: Scope,
    x: Any,
    begin: Any,
    end: Any,
    strides: Any,
    begin_mask: Any = 0,
    end_mask: Any = 0,
    ellipsis_mask: Any = 0,
    new_axis_mask: Any = 0,
    shrink_axis_mask: Any = 0,
) -> int:
    """A slice as TensorFlow's graphs have it: bits of the masks say which parts are what."""
    masks = [scope.integer(m) for m in (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)]
    parts: list[Any] = []
    bounds = zip(scope.integers(begin), scope.integers(end), scope.integers(strides), strict=True)
    for i, (low, high, by) in enumerate(bounds):
        open_low, open_high, ellipsis, new, shrink = (bool(mask >> i & 1) for mask in masks)
        part = slice(None if open_low else low, None if open_high else high, None if by == 1 else by)
        parts.append(Ellipsis if ellipsis else None if new else low if shrink else part)
    return get_item(scope, x, parts)  # type: ignore[return-value]


@operation("Slice inputs start_indices shape", "slice input_ begin size", "raw.Slice")
def part(scope: Scope, x: Any, begin: Any, size: Any) -> int:
    """So many elements from a place along each axis; −1 stands for all that follow."""
    value = scope.value(x)
    starts, counts = scope.listed(begin), scope.listed(size)
    if scope.integer(starts[0]) != 0 or counts[0] not in (-1, None, BATCH):
        raise scope.refuse("takes a part of the batch")
    pairs = zip(scope.integers(starts[1:]), scope.integers(counts[1:]), strict=True)
    return taken(scope, value, [slice(low, None if n == -1 else low + n) for low, n in pairs])


@operation("Flip x axis", "reverse tensor axis", "raw.ReverseV2")
def flip(scope: Scope, x: Any, axis: Any = None) -> int:
    """Elements along some axes from the last to the first."""
    value = scope.value(x)
    chosen = scope.axes(axis, scope.rank(value))
    return taken(scope, value, [slice(None, None, -1) if i in chosen else _ALL for i in range(scope.rank(value))])


@operation("Tile x repeats", "tile input multiples", "raw.Tile")
def tile(scope: Scope, x: Any, repeats: Any) -> int:
    """The whole several times along each axis."""
    value = scope.value(x)
    times = scope.integers(repeats)
    times = [1] * (scope.rank(value) + 1 - len(times)) + times
    if times[0] != 1 or len(times) != scope.rank(value) + 1:
        raise scope.refuse("repeats the batch")
    return _repeated(scope, value, times[1:], whole=True)


@operation("Repeat x repeats axis", "repeat input repeats axis")
def repeat(scope: Scope, x: Any, repeats: Any, axis: Any = None) -> int:
    """Each element several times in turn along an axis."""
    value = scope.value(x)
    if axis is None:
        raise scope.refuse("repeats the batch")
    chosen, times = scope.axis(axis, scope.rank(value)), scope.integers(repeats)
    if len(times) == 1:
        return _repeated(scope, value, [times[0] if i == chosen else 1 for i in range(scope.rank(value))], whole=False)
    table(sum(times))
    numbers = tuple(i for i, n in enumerate(times) for _ in range(n))
    return scope.emit(Gather(chosen - scope.rank(value), numbers), value)


def _repeated(scope: Scope, x: int, times: list[int], whole: bool) -> int:
    """Along each axis, the whole or each element several times: by a slice of step zero before or behind the axis."""
    if min(times, default=1) < 1:
        raise GraphError(f"cannot repeat {times} times")
    for axis, factor in enumerate(times):
        shape = scope.shape(x)
        if factor > 1:
            before, size, after = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
            given, count = ((1, size), (factor, size)) if whole else ((size, 1), (size, factor))
            y = scope.reshape(x, (before, *given, after))
            step = (1, *(int(a == b) for a, b in zip(given, count, strict=True)), 1)
            y = scope.emit(Slice((0,) * 4, (before, *count, after), step), y)
            x = scope.reshape(y, (*shape[:axis], size * factor, *shape[axis + 1 :]))
    return x


@operation("BroadcastTo x shape", "broadcast_to input shape", "raw.BroadcastTo")
def broadcast_to(scope: Scope, x: Any, shape: Any) -> int:
    """Axes of one element spread to other sizes."""
    value = scope.value(x)
    given, wanted = scope.shape(value), scope.listed(shape)
    if len(wanted) != len(given) + 1 or wanted[0] not in (None, BATCH):
        raise scope.refuse("spreads the batch")
    sizes = tuple(scope.integers(wanted[1:]))
    if any(a not in (1, b) for a, b in zip(given, sizes, strict=True)):
        raise GraphError(f"cannot spread {given} to {sizes}")
    steps = tuple(int(a == b) for a, b in zip(given, sizes, strict=True))
    return scope.emit(Slice((0,) * len(sizes), sizes, steps), value)


@operation("Roll x shift axis", "roll input shift axis")
def roll(scope: Scope, x: Any, shift: Any, axis: Any = None) -> int:
    """Elements move along some axes; those that leave come in at the other end."""
    value = scope.value(x)
    if axis is None:
        raise scope.refuse("rolls the batch")
    for by, chosen in zip(scope.integers(shift), scope.integers(axis), strict=True):
        a, rank = scope.axis(chosen, scope.rank(value)), scope.rank(value)
        numbers = np.roll(table(scope.shape(value)[a]), by)
        value = scope.emit(Gather(a - rank, _whole(numbers)), value)
    return value


def _whole(numbers: Any) -> Shape:
    return tuple(int(i) for i in numbers)
