"""Convolutions of one, two and three dimensions. All are two-dimensional in the graph.

One dimension has height 1. In three, the depth is further images, and the slices that a window reads along it are
joined as channels.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from numpy.typing import NDArray

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.activation import fused_activation
from engine.frontend.layers.geometry import (
    as_image,
    dimensions,
    from_image,
    on_channels_last,
    pad_depth,
    require_rank,
    window_pads,
)
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import Concat, Conv, DepthwiseConv, Pair, Reshape, Shape, Slice, window_extent

Sizes: TypeAlias = tuple[int, ...]


class Window:
    """The window of a convolution over `rank` axes, from its configuration."""

    def __init__(self, call: Call) -> None:
        self.call, self.rank = call, dimensions(call)
        config = call.config
        self.kernel: Sizes = config.sizes("kernel_size", self.rank)
        self.strides: Sizes = config.sizes("strides", self.rank, 1)
        self.dilation: Sizes = config.sizes("dilation_rate", self.rank, 1)
        words = ("valid", "same", "causal") if self.rank == 1 else ("valid", "same")
        self._padding = config.choice("padding", words, "valid")

    def pads(self, shape: Shape) -> tuple[Pair, ...]:
        """Padding before and after each axis of an image (..., c)."""
        return window_pads(self._padding, shape[:-1], self.kernel, self.strides, self.dilation)


def _flat(values: Sequence[Any], fill: Any) -> Any:
    """The values of the last two of one to three axes; height is `fill` where there is one."""
    return (fill, *values) if len(values) == 1 else tuple(values[-2:])


def bias_of(call: Call, filters: int) -> tuple[Weight, ...]:
    """The bias of a layer that may go without."""
    return (call.weight("bias", (filters,)),) if call.config.flag("use_bias", True) else ()


@layer("Conv1D", "Conv2D", "Conv3D")
def conv(call: Call) -> int:
    """Convolution with strides, padding, dilation and groups."""
    window, filters, groups = Window(call), call.config.integer("filters"), call.config.integer("groups", 1)

    def compute(x: int) -> int:
        shape = require_rank(call, x, window.rank + 1)
        if shape[-1] % groups or filters % groups:
            raise GraphError(f"{groups} groups do not divide {shape[-1]} input and {filters} output channels")
        w = call.weight("kernel", (*window.kernel, shape[-1] // groups, filters))
        bias, pads = bias_of(call, filters), window.pads(shape)
        return conv_axes(call, x, w, window.strides, pads, window.dilation, groups, *bias)

    return fused_activation(call, on_channels_last(call, call.x, compute))


def conv_axes(
    call: Call, x: int, w: Weight, strides: Sizes, pads: Sequence[Pair], dilation: Sizes, groups: int, *bias: Weight
) -> int:
    """A convolution over all axes of `x` but the last, with a kernel (..., c/groups, f)."""
    rank = len(strides)
    op = Conv(_flat(strides, 1), _flat(pads, (0, 0)), _flat(dilation, 1), groups)
    if rank == 3:
        slices = _depth_as_channels(call, x, w.shape[0], strides[0], dilation[0], pads[0], groups)
        return call.emit(op, slices, _flat_kernel(call, w), *bias)
    return from_image(call, rank, call.emit(op, as_image(call, rank, x), image_kernel(call, w), *bias))


def image_kernel(call: Call, w: Weight) -> Weight:
    """A kernel (..., c, f) of one or two axes, with two."""
    if len(w.shape) == 4:
        return w
    shape = (1, *w.shape)
    return call.derive(f"{w.name.rsplit('/', 1)[-1]}_2d", shape, lambda: w.read().reshape(shape))


def _depth_as_channels(call: Call, x: int, kd: int, stride: int, dilation: int, pads: Pair, groups: int) -> int:
    """(d, h, w, c) → (od, h, w, kd·c): the slices that each window reads, one after another within each group."""
    _, h, wd, c = call.shape(x)
    od = window_extent(call.shape(x)[0], kd, stride, pads, dilation)
    x = pad_depth(call, x, pads)
    slices = [call.emit(Slice((r * dilation, 0, 0, 0), (od, h, wd, c), (stride, 1, 1, 1)), x) for r in range(kd)]
    if groups > 1:
        slices = [call.emit(Reshape((od, h, wd, groups, c // groups)), s) for s in slices]
    return call.emit(Reshape((od, h, wd, kd * c)), call.emit(Concat(-1), *slices))


def _flat_kernel(call: Call, w: Weight) -> Weight:
    """(kd, kh, kw, c, f) → (kh, kw, kd·c, f)."""
    kd, kh, kw, c, f = w.shape

    def read() -> NDArray[Any]:
        return w.read().transpose(1, 2, 0, 3, 4).reshape(kh, kw, kd * c, f)

    return call.derive(f"{w.name.rsplit('/', 1)[-1]}_2d", (kh, kw, kd * c, f), read)


@layer("DepthwiseConv1D", "DepthwiseConv2D", ignored=("groups", "filters"))
def depthwise_conv(call: Call) -> int:
    """Convolution of each channel with kernels of its own."""
    window, multiplier = Window(call), call.config.integer("depth_multiplier", 1)

    def compute(x: int) -> int:
        return from_image(call, window.rank, _depthwise(window, x, multiplier, bias=True))

    return fused_activation(call, on_channels_last(call, call.x, compute))


def _depthwise(window: Window, x: int, multiplier: int, bias: bool) -> int:
    call = window.call
    shape = require_rank(call, x, window.rank + 1)
    w = call.weight("depthwise_kernel", (*window.kernel, shape[-1], multiplier))
    added = bias_of(call, shape[-1] * multiplier) if bias else ()
    return depthwise_axes(call, x, w, window.strides, window.pads(shape), window.dilation, *added)


def depthwise_axes(
    call: Call, x: int, w: Weight, strides: Sizes, pads: Sequence[Pair], dilation: Sizes, *bias: Weight
) -> int:
    """A depthwise convolution over the one or two axes of `x` but the last, as an image; the kernel is (..., c, m)."""
    op = DepthwiseConv(_flat(strides, 1), _flat(pads, (0, 0)), _flat(dilation, 1))
    return call.emit(op, as_image(call, len(strides), x), image_kernel(call, w), *bias)


@layer("SeparableConv1D", "SeparableConv2D", ignored=("groups",))
def separable_conv(call: Call) -> int:
    """A depthwise convolution followed by one whose kernel is one pixel."""
    window, filters = Window(call), call.config.integer("filters")
    multiplier = call.config.integer("depth_multiplier", 1)

    def compute(x: int) -> int:
        y = _depthwise(window, x, multiplier, bias=False)
        pointwise = call.weight("pointwise_kernel", (*(1,) * window.rank, call.shape(y)[-1], filters))
        y = call.emit(Conv(), y, image_kernel(call, pointwise), *bias_of(call, filters))
        return from_image(call, window.rank, y)

    return fused_activation(call, on_channels_last(call, call.x, compute))
