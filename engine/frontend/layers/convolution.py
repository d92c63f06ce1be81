"""Two-dimensional convolutions."""

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.activation import fused_activation
from engine.frontend.layers.geometry import on_channels_last, require_rank, window_pads
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import Conv, DepthwiseConv, Pads, Pair, Shape


def _pair(call: Call, key: str, default: int = 1) -> Pair:
    first, second = call.config.sizes(key, 2, default)
    return first, second


def _pads(call: Call, shape: Shape, kernel: Pair, strides: Pair, dilation: Pair) -> Pads:
    return window_pads(call.config.choice("padding", ("valid", "same"), "valid"), shape, kernel, strides, dilation)


def _bias(call: Call, filters: int) -> tuple[Weight, ...]:
    return (call.weight("bias", (filters,)),) if call.config.flag("use_bias", True) else ()


@layer("Conv2D")
def conv2d(call: Call) -> int:
    """Convolution with strides, padding, dilation and groups."""
    config = call.config
    kernel, strides, dilation = _kernel(call), _pair(call, "strides"), _pair(call, "dilation_rate")
    filters, groups = config.integer("filters"), config.integer("groups", 1)

    def compute(x: int) -> int:
        shape = require_rank(call, x, 3)
        if shape[-1] % groups or filters % groups:
            raise GraphError(f"{groups} groups do not divide {shape[-1]} input and {filters} output channels")
        w = call.weight("kernel", (*kernel, shape[-1] // groups, filters))
        pads = _pads(call, shape, kernel, strides, dilation)
        return call.emit(Conv(strides, pads, dilation, groups), x, w, *_bias(call, filters))

    return fused_activation(call, on_channels_last(call, call.x, compute))


@layer("DepthwiseConv2D", ignored=("groups", "filters"))
def depthwise_conv2d(call: Call) -> int:
    """Convolution of each channel with kernels of its own."""
    kernel, strides, dilation = _kernel(call), _pair(call, "strides"), _pair(call, "dilation_rate")
    multiplier = call.config.integer("depth_multiplier", 1)

    def compute(x: int) -> int:
        shape = require_rank(call, x, 3)
        w = call.weight("depthwise_kernel", (*kernel, shape[-1], multiplier))
        pads = _pads(call, shape, kernel, strides, dilation)
        return call.emit(DepthwiseConv(strides, pads, dilation), x, w, *_bias(call, shape[-1] * multiplier))

    return fused_activation(call, on_channels_last(call, call.x, compute))


@layer("SeparableConv2D", ignored=("groups",))
def separable_conv2d(call: Call) -> int:
    """A depthwise convolution followed by one with a 1×1 kernel."""
    kernel, strides, dilation = _kernel(call), _pair(call, "strides"), _pair(call, "dilation_rate")
    multiplier, filters = call.config.integer("depth_multiplier", 1), call.config.integer("filters")

    def compute(x: int) -> int:
        shape = require_rank(call, x, 3)
        channels = shape[-1] * multiplier
        depthwise = call.weight("depthwise_kernel", (*kernel, shape[-1], multiplier))
        pointwise = call.weight("pointwise_kernel", (1, 1, channels, filters))
        y = call.emit(DepthwiseConv(strides, _pads(call, shape, kernel, strides, dilation), dilation), x, depthwise)
        return call.emit(Conv(), y, pointwise, *_bias(call, filters))

    return fused_activation(call, on_channels_last(call, call.x, compute))


def _kernel(call: Call) -> Pair:
    first, second = call.config.sizes("kernel_size", 2)
    return first, second
