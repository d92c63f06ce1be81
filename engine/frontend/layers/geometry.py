"""What images, axes and padding words mean: shared by all families of layers."""

from collections.abc import Callable, Sequence

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.ir.ops import Pads, Pair, Shape, Transpose


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


def axis_to_end(call: Call, x: int, axis: int, compute: Callable[[int], int]) -> int:
    """`compute` on `x` with one axis moved to the end; the result with that axis moved back."""
    rank = call.rank(x)
    if axis == rank - 1:
        return compute(x)
    order = (*(a for a in range(rank) if a != axis), axis)
    y = compute(call.emit(Transpose(order), x))
    return call.emit(Transpose(tuple(order.index(a) for a in range(rank))), y)


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
    padding: str, shape: Shape, kernel: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> Pads:
    """The padding of a window over an image (..., h, w, c)."""
    if padding == "valid":
        return (0, 0), (0, 0)
    h, w = shape[-3], shape[-2]
    return same_pads(h, kernel[0], strides[0], dilation[0]), same_pads(w, kernel[1], strides[1], dilation[1])


def require_rank(call: Call, x: int, rank: int) -> Shape:
    """The shape of `x`, which must have `rank` axes beside the batch."""
    shape = call.shape(x)
    if len(shape) != rank:
        raise GraphError(f"expected {rank} axes beside the batch, found shape {shape}")
    return shape
