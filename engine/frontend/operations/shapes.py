"""Functions that give the same elements another shape or order."""

from collections.abc import Sequence
from math import prod
from typing import Any

from engine.errors import GraphError
from engine.frontend.config import table
from engine.frontend.layers.geometry import window_pads
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import operation
from engine.ir.ops import Concat, Pad, Pair, Shape, Slice, Transpose, window_extent


@operation("Reshape x newshape", "reshape tensor shape", "raw.Reshape")
def reshape(scope: Scope, x: Any, shape: Any) -> int:
    """Another shape, of which the batch stays the first axis."""
    value = scope.value(x)
    elements = 1
    for size in scope.shape(value):
        elements *= size
    return scope.reshape(value, scope.example_shape(shape, elements))


@operation("Transpose x axes", "transpose a perm", "compat.v1.transpose a perm", "raw.Transpose x perm")
def transpose(scope: Scope, x: Any, axes: Any = None) -> int:
    """Axes in another order, of which the batch stays the first."""
    value = scope.value(x)
    rank = scope.rank(value)
    order = list(reversed(range(rank + 1))) if axes is None else [a % (rank + 1) for a in scope.integers(axes)]
    return permuted(scope, value, order)


def permuted(scope: Scope, x: int, order: Sequence[int]) -> int:
    """The value with its axes in another order; these count the batch."""
    if sorted(order) != list(range(scope.rank(x) + 1)):
        raise GraphError(f"{list(order)} is no order of {scope.rank(x) + 1} axes")
    if order[0] != 0:
        raise scope.refuse("moves the batch axis")
    axes = tuple(a - 1 for a in order[1:])
    return x if axes == tuple(range(len(axes))) else scope.emit(Transpose(axes), x)


@operation("Swapaxes x axis1 axis2", "experimental.numpy.swapaxes a axis1 axis2")
def swap_axes(scope: Scope, x: Any, first: Any, second: Any) -> int:
    """Two axes change places."""
    value = scope.value(x)
    count = scope.rank(value) + 1
    order = list(range(count))
    a, b = scope.integer(first) % count, scope.integer(second) % count
    order[a], order[b] = b, a
    return permuted(scope, value, order)


@operation("Moveaxis x source destination", "experimental.numpy.moveaxis a source destination")
def move_axis(scope: Scope, x: Any, source: Any, destination: Any) -> int:
    """Some axes go to other places; the rest stay in order."""
    value = scope.value(x)
    count = scope.rank(value) + 1
    pairs = zip(scope.integers(destination), scope.integers(source), strict=True)
    moved = sorted((to % count, given % count) for to, given in pairs)
    order = [a for a in range(count) if a not in {given for _, given in moved}]
    for to, given in moved:
        order.insert(to, given)
    return permuted(scope, value, order)


@operation("ExpandDims x axis", "expand_dims input axis", "raw.ExpandDims")
def expand_dims(scope: Scope, x: Any, axis: Any) -> int:
    """More axes, of one element each."""
    value = scope.value(x)
    places, given = scope.integers(axis), list(scope.shape(value))
    rank = len(given) + len(places)
    chosen = {scope.axis(place, rank) for place in places}
    return scope.reshape(value, [1 if i in chosen else given.pop(0) for i in range(rank)])


@operation("Squeeze x axis", "squeeze input axis", "compat.v1.squeeze input axis", "raw.Squeeze input squeeze_dims")
def squeeze(scope: Scope, x: Any, axis: Any = None) -> int:
    """Fewer axes of one element."""
    value = scope.value(x)
    shape = scope.shape(value)
    every = axis is None or scope.listed(axis) == []
    chosen = {i for i, size in enumerate(shape) if size == 1} if every else set(scope.axes(axis, len(shape)))
    if any(shape[i] != 1 for i in chosen):
        raise GraphError(f"the axes {axis} of {shape} hold more than one element")
    return scope.reshape(value, without(shape, chosen))


def without(shape: Sequence[int], axes: set[int]) -> Shape:
    """The sizes of the other axes."""
    return tuple(size for i, size in enumerate(shape) if i not in axes)


@operation(
    "nn.space_to_depth input block_size data_format",
    "SpaceToDepth x block_size data_format",
    "raw.SpaceToDepth input block_size",
)
def space_to_depth(scope: Scope, x: Any, block: Any, data_format: Any = "NHWC") -> int:
    """Squares of an image as channels."""
    scope.choice(data_format, "nhwc", "channels_last")
    value, b = scope.image(x), scope.integer(block)
    h, w, c = scope.shape(value)
    if h % b or w % b:
        raise GraphError(f"squares of {b} do not divide an image of {h} × {w}")
    y = scope.reshape(value, (h // b, b, w // b, b, c))
    return scope.reshape(scope.emit(Transpose((0, 2, 1, 3, 4)), y), (h // b, w // b, b * b * c))


@operation(
    "nn.depth_to_space input block_size data_format",
    "DepthToSpace x block_size data_format",
    "raw.DepthToSpace input block_size",
)
def depth_to_space(scope: Scope, x: Any, block: Any, data_format: Any = "NHWC") -> int:
    """Channels as squares of an image."""
    scope.choice(data_format, "nhwc", "channels_last")
    value, b = scope.image(x), scope.integer(block)
    h, w, c = scope.shape(value)
    if c % (b * b):
        raise GraphError(f"squares of {b} do not divide {c} channels")
    y = scope.reshape(value, (h, w, b, b, c // (b * b)))
    return scope.reshape(scope.emit(Transpose((0, 2, 1, 3, 4)), y), (h * b, w * b, c // (b * b)))


@operation("keras.backend.batch_flatten x")
def flatten(scope: Scope, x: Any) -> int:
    """All axes of each example as one."""
    value = scope.value(x)
    return scope.reshape(value, (prod(scope.shape(value)),))


MAX_TAPS = 1 << 14


@operation(
    "ExtractPatches images size strides dilation_rate padding data_format",
    "image.extract_patches images sizes strides rates padding",
)
def patches(
    scope: Scope,
    x: Any,
    size: Any,
    strides: Any = None,
    rates: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
) -> int:
    """The pixels of each window of an image as channels."""
    if data_format is not None:
        scope.choice(data_format, "channels_last")
    value = scope.image(x)
    window, gaps = _pair(scope, size), _pair(scope, rates)
    steps = window if strides is None else _pair(scope, strides)
    word = scope.choice(padding, "valid", "same")
    pads = window_pads(word, scope.shape(value)[:2], window, steps, gaps)
    counts = [
        window_extent(n, k, s, pad, d)
        for n, k, s, pad, d in zip(scope.shape(value), window, steps, pads, gaps, strict=False)
    ]
    if any(map(any, pads)):
        value = scope.emit(Pad((pads[0], pads[1])), value)
    channels = scope.shape(value)[2]
    table(window[0] * window[1], MAX_TAPS)
    taps = [(i * gaps[0], j * gaps[1], 0) for i in range(window[0]) for j in range(window[1])]
    parts = [scope.emit(Slice(tap, (*counts, channels), (*steps, 1)), value) for tap in taps]
    return scope.emit(Concat(-1), *parts)


def _pair(scope: Scope, given: Any) -> Pair:
    sizes = scope.integers(given)
    sizes = sizes[1:3] if len(sizes) == 4 else sizes * (3 - len(sizes))
    if len(sizes) != 2 or min(sizes) < 1:
        raise scope.wrong("a height and a width", given)
    return sizes[0], sizes[1]
