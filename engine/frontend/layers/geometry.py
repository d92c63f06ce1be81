"""What images, axes and padding words mean: shared by all families of layers."""

from collections.abc import Callable, Sequence
from math import prod

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.ir.ops import Pad, Pair, Reshape, Shape, Slice, Transpose


def data_format(call: Call) -> str:
    """Either "channels_last" or "channels_first"."""
    return call.config.choice("data_format", ("channels_last", "channels_first"), "channels_last")


def on_channels_last(call: Call, x: int, compute: Callable[[int], int]) -> int:
    """`compute` on an image whose channels come last; the result's channels go back to where the layer has them."""
    if data_format(call) == "channels_last":
        return compute(x)
    y = compute(channels_to_end(call, x))
    rank = call.rank(y)
    return call.emit(Transpose((rank - 1, *range(rank - 1))), y)


def channels_to_end(call: Call, x: int) -> int:
    """Move the first axis of each example to its end."""
    return call.emit(Transpose((*range(1, call.rank(x)), 0)), x)


def over_axes(call: Call, x: int, axes: Sequence[int], compute: Callable[[int], int]) -> int:
    """`compute` on `x` with the given axes of an example moved to the end and joined to one; the result put back."""
    rank, chosen = call.rank(x), sorted(set(axes))
    order = (*(a for a in range(rank) if a not in chosen), *chosen)
    moved = x if order == tuple(range(rank)) else call.emit(Transpose(order), x)
    shape = call.shape(moved)
    joined = (*shape[: rank - len(chosen)], prod(shape[rank - len(chosen) :]))
    y = compute(moved if joined == shape else call.emit(Reshape(joined), moved))
    y = y if joined == shape else call.emit(Reshape(shape), y)
    return y if moved == x else call.emit(Transpose(tuple(order.index(a) for a in range(rank))), y)


def example_axes(call: Call, key: str, default: int, rank: int) -> list[int]:
    """One axis or a list of them from the configuration, as axes of one example, ascending."""
    given = call.config.raw(key, default)
    count = len(given) if isinstance(given, list | tuple) else 1
    return sorted({example_axis(axis, rank) for axis in call.config.sizes(key, count, default, low=-rank)})


def example_axis(axis: int, rank: int) -> int:
    """Keras's axis, which counts the batch, as an axis of one example of `rank` axes."""
    found = axis + rank if axis < 0 else axis - 1
    if not 0 <= found < rank or axis == 0:
        raise GraphError(f"there is no axis {axis} beside the batch in a value of {rank + 1} axes")
    return found


def same_pads(size: int, kernel: int, stride: int, dilation: int = 1) -> Pair:
    """TensorFlow's "same": ceil(size / stride) positions, the odd cell of padding at the end."""
    span = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


def window_pads(
    padding: str, extents: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> tuple[Pair, ...]:
    """The padding of a window along each axis. "causal" is all at the beginning, so that no window looks ahead."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "causal":
        return tuple(((k - 1) * d, 0) for k, d in zip(kernel, dilation, strict=True))
    return tuple(same_pads(*axis) for axis in zip(extents, kernel, strides, dilation, strict=True))


def require_rank(call: Call, x: int, rank: int) -> Shape:
    """The shape of `x`, which must have `rank` axes beside the batch."""
    shape = call.shape(x)
    if len(shape) != rank:
        raise GraphError(f"expected {rank} axes beside the batch, found shape {shape}")
    return shape


def dimensions(call: Call) -> int:
    """How many axes of space or time a layer works on: the digit in the name of its class."""
    return next(int(c) for c in call.layer.spec.class_name if c.isdigit())


def as_image(call: Call, rank: int, x: int) -> int:
    """A value (n, c) as an image (1, n, c); images and volumes as they are."""
    return call.emit(Reshape((1, *call.shape(x))), x) if rank == 1 else x


def from_image(call: Call, rank: int, y: int) -> int:
    """What `as_image` did, undone."""
    return call.emit(Reshape(call.shape(y)[1:]), y) if rank == 1 else y


def pad_depth(call: Call, x: int, pads: Pair) -> int:
    """A value (d, ...) with zeros before and after along its first axis."""
    if pads == (0, 0):
        return x
    depth, *rest = call.shape(x)
    flat = call.emit(Reshape((depth, prod(rest), 1)), x)
    return call.emit(Reshape((depth + sum(pads), *rest)), call.emit(Pad((pads, (0, 0))), flat))


def crop(call: Call, x: int, borders: Sequence[Pair]) -> int:
    """A value without `borders` elements before and after along its first axes."""
    if not any(map(any, borders)):
        return x
    shape, whole = call.shape(x), [*borders, *[(0, 0)] * (call.rank(x) - len(borders))]
    count = tuple(size - sum(border) for size, border in zip(shape, whole, strict=True))
    return call.emit(Slice(tuple(before for before, _ in whole), count, (1,) * len(shape)), x)


def repeat(call: Call, x: int, times: Sequence[int]) -> int:
    """A value whose elements along its first axes stand several times in turn, two axes by one slice."""
    for first in range(0, len(times), 2):
        shape, factors = call.shape(x), (*times[first : first + 2], 1)[:2]
        (a, b), rest = (*shape[first : first + 2], 1)[:2], shape[first + 2 :]
        before, after = prod(shape[:first]), prod(rest)
        y = call.emit(Reshape((before, a, 1, b, 1, after)), x)
        count = (before, a, factors[0], b, factors[1], after)
        y = call.emit(Slice((0,) * 6, count, (1, 1, 0, 1, 0, 1)), y)
        sizes = (a * factors[0], b * factors[1])[: len(shape) - first]
        x = call.emit(Reshape((*shape[:first], *sizes, *rest)), y)
    return x
