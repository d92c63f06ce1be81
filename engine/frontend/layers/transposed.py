"""Transposed convolutions of one, two and three dimensions.

In three, the depth is spread with zeros, and the slices that reach a result are joined as channels of a
two-dimensional one.
"""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.activation import fused_activation
from engine.frontend.layers.convolution import Window, bias_of
from engine.frontend.layers.geometry import as_image, from_image, on_channels_last, pad_depth, require_rank, same_pads
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import Concat, ConvTranspose, Pad, Pair, Reshape, Slice, window_extent


@layer("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", ignored=("groups",))
def conv_transpose(call: Call) -> int:
    """The gradient of a convolution, as a layer: it enlarges by its strides."""
    return transposed(call)


def transposed(call: Call, wanted: Sequence[int] | None = None) -> int:
    """A transposed convolution as the configuration has it, or to the extents that are wanted."""
    window, filters = Window(call), call.config.integer("filters")
    rank = window.rank
    more = None
    if call.config.raw("output_padding", None) is not None:
        more = call.config.sizes("output_padding", rank, low=0)
    same = call.config.choice("padding", ("valid", "same"), "valid") == "same"

    def compute(x: int) -> int:
        shape = require_rank(call, x, rank + 1)
        w = call.weight("kernel", (*window.kernel, filters, shape[-1]))
        bias = bias_of(call, filters)
        extents = [
            transposed_extent(*axis, same, None if more is None else more[i])
            for i, axis in enumerate(zip(shape, window.kernel, window.strides, window.dilation, strict=False))
        ]
        if wanted is not None:
            axes = list(zip(wanted, window.kernel, window.strides, strict=True))
            pads = [same_pads(*axis) if same else (0, 0) for axis in axes]
            if [window_extent(*axis, pad) for axis, pad in zip(axes, pads, strict=True)] != list(shape[:-1]):
                raise GraphError(f"an image of {shape[:-1]} does not become one of {tuple(wanted)}")
            extents = list(wanted)
        return transposed_axes(call, x, w, window.strides, extents, same, window.dilation, *bias)

    return fused_activation(call, on_channels_last(call, call.x, compute))


def transposed_axes(
    call: Call,
    x: int,
    w: Weight,
    strides: Sequence[int],
    extents: Sequence[int],
    same: bool,
    dilation: Sequence[int],
    *bias: Weight,
) -> int:
    """A transposed convolution over all axes of `x` but the last, to `extents`, with a kernel (..., f, c)."""
    rank, kernel = len(strides), w.shape[:-2]
    begins = [
        same_pads(e, k, s, d)[0] if same else 0 for e, k, s, d in zip(extents, kernel, strides, dilation, strict=True)
    ]
    if rank == 3:
        x = _depth_as_channels(call, x, kernel[0], strides[0], dilation[0], begins[0], extents[0])
    op = ConvTranspose(_last_two(strides, 1), _last_two(begins, 0), _last_two(extents, 1), _last_two(dilation, 1))
    return from_image(call, rank, call.emit(op, as_image(call, rank, x), _flat_kernel(call, w), *bias))


def _last_two(values: Sequence[int], fill: int) -> Pair:
    return (fill, values[0]) if len(values) == 1 else (values[-2], values[-1])


def transposed_extent(size: int, kernel: int, stride: int, dilation: int, same: bool, more: int | None) -> int:
    """What an axis of `size` becomes; `more` is Keras's output_padding."""
    span = (kernel - 1) * dilation + 1
    if more is None:
        return size * stride + (0 if same else max(span - stride, 0))
    return (size - 1) * stride + (span % 2 if same else span) + more


def _depth_as_channels(call: Call, x: int, kernel: int, stride: int, dilation: int, begin: int, extent: int) -> int:
    """(d, h, w, c) → (extent, h, w, kd·c): for each result the slices that reach it, the last tap first."""
    depth, h, wd, c = call.shape(x)
    if stride > 1:
        spread = call.emit(Pad(((0, stride - 1), (0, 0))), call.emit(Reshape((depth, 1, h * wd, c)), x))
        x = call.emit(Reshape((depth * stride, h, wd, c)), spread)
    span = (kernel - 1) * dilation + 1
    x = pad_depth(call, x, (span - 1 - begin, max(0, extent + begin - depth * stride)))
    slices = [call.emit(Slice((r * dilation, 0, 0, 0), (extent, h, wd, c), (1,) * 4), x) for r in range(kernel)]
    return call.emit(Concat(-1), *slices)


def _flat_kernel(call: Call, w: Weight) -> Weight:
    """(..., f, c) → (kh, kw, c, f); the taps along depth, the last first, are channels."""
    *kernel, f, c = w.shape
    kd, kh, kw = [1, 1, *kernel][-3:]

    def read() -> NDArray[Any]:
        taps = w.read().reshape(kd, kh, kw, f, c)[::-1]
        return taps.transpose(1, 2, 0, 4, 3).reshape(kh, kw, kd * c, f)

    return call.derive(f"{w.name.rsplit('/', 1)[-1]}_2d", (kh, kw, kd * c, f), read)
