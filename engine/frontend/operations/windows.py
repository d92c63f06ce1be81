"""Convolutions and pools as functions, their kernels constants: Keras 3's `ops`, `tf.nn`, TensorFlow's nodes."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from engine.errors import GraphError
from engine.frontend.call import Tensor
from engine.frontend.layers.convolution import conv_axes, depthwise_axes
from engine.frontend.layers.geometry import from_image, window_pads
from engine.frontend.layers.pooling import pool_axes
from engine.frontend.layers.transposed import transposed_axes
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import operation
from engine.ir.graph import Weight
from engine.ir.ops import Pair, Transpose

_FIRST = ("channels_first", "ncw", "nchw", "ncdhw")
_LAST = ("channels_last", "nwc", "nhwc", "ndhwc")


def _on_last(scope: Scope, x: Any, data_format: Any, compute: Callable[[int], int]) -> int:
    """`compute` on a value whose channels come last; the result has them where the value had."""
    value = scope.value(x)
    if data_format is None or scope.choice(data_format, *_FIRST, *_LAST) in _LAST:
        return compute(value)
    y = compute(scope.emit(Transpose((*range(1, scope.rank(value)), 0)), value))
    return scope.emit(Transpose((scope.rank(y) - 1, *range(scope.rank(y) - 1))), y)


def _sizes(scope: Scope, given: Any, rank: int, data_format: Any) -> tuple[int, ...]:
    """A number for each axis of space: from one, from as many, or from those that count batch and channels too."""
    sizes = [1] if given is None else scope.integers(given)
    if len(sizes) == rank + 2:
        first = str(data_format).lower() in _FIRST
        space, other = (sizes[2:], sizes[:2]) if first else (sizes[1:-1], [sizes[0], sizes[-1]])
        if other != [1, 1]:
            raise scope.refuse(f"windows of {sizes} reach across the batch or the channels")
        sizes = space
    if len(sizes) == 1:
        sizes *= rank
    if len(sizes) != rank:
        raise scope.wrong(f"{rank} sizes", given)
    if min(sizes) < 1:
        raise scope.wrong("sizes above zero", given)
    return tuple(sizes)


def _pads(scope: Scope, padding: Any, extents: Sequence[int], kernel: Any, strides: Any, dilation: Any) -> Any:
    """Padding by word, or pairs of numbers for each axis of the value, the batch and the channels too."""
    if isinstance(padding, str):
        word = scope.choice(padding, "valid", "same", "causal")
        return window_pads(word, extents, kernel, strides, dilation)
    pairs: list[Pair] = [(a, b) for a, b in (scope.integers(pair) for pair in scope.listed(padding))]
    space = [pair for pair in pairs if pair != (0, 0)] if len(pairs) != len(extents) + 2 else pairs[1:-1]
    if len(space) != len(extents):
        raise scope.wrong("a word or pairs of padding", padding)
    return tuple(space)


def _space(scope: Scope, x: int, rank: int | None = None) -> tuple[int, ...]:
    extents = scope.shape(x)[:-1]
    if not 1 <= len(extents) <= 3 or (rank is not None and len(extents) != rank):
        raise GraphError(f"expected {rank or 'one to three'} axes and channels, found shape {scope.shape(x)}")
    return extents


def _pool(
    scope: Scope, kind: Literal["max", "mean"], x: Any, window: Any, strides: Any, padding: Any, data_format: Any
) -> int:
    def compute(value: int) -> int:
        extents = _space(scope, value)
        size = _sizes(scope, window, len(extents), data_format)
        steps = size if strides is None else _sizes(scope, strides, len(extents), data_format)
        pads = _pads(scope, padding, extents, size, steps, (1,) * len(size))
        return pool_axes(scope.call, kind, value, size, steps, pads)

    return _on_last(scope, x, data_format, compute)


@operation("nn.bias_add value bias data_format", "raw.BiasAdd")
def bias_add(scope: Scope, x: Any, bias: Any, data_format: Any = None) -> int:
    """A number for each channel, added."""
    return _on_last(scope, x, data_format, lambda value: scope.binary("add", *scope.together(Tensor(value), bias)))


_POOL = "input ksize strides padding data_format"


@operation(
    "MaxPool inputs pool_size strides padding data_format", f"nn.max_pool {_POOL}", f"nn.max_pool1d {_POOL}",
    f"nn.max_pool2d {_POOL}", f"nn.max_pool3d {_POOL}", f"compat.v1.nn.max_pool {_POOL.replace('input', 'value')}",
    f"raw.MaxPool {_POOL}", f"raw.MaxPool3D {_POOL}",
)  # fmt: skip
def max_pool(
    scope: Scope, x: Any, window: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
) -> int:
    """The maximum of each window."""
    return _pool(scope, "max", x, window, strides, padding, data_format)


@operation(
    "AveragePool inputs pool_size strides padding data_format", f"nn.avg_pool {_POOL}", f"nn.avg_pool1d {_POOL}",
    f"nn.avg_pool2d {_POOL}", f"nn.avg_pool3d {_POOL}", f"compat.v1.nn.avg_pool {_POOL.replace('input', 'value')}",
    f"raw.AvgPool {_POOL}", f"raw.AvgPool3D {_POOL}",
)  # fmt: skip
def average_pool(
    scope: Scope, x: Any, window: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
) -> int:
    """The mean of each window; padding does not count."""
    if not isinstance(padding, str):
        raise scope.refuse("means over padding given in numbers are not supported")
    return _pool(scope, "mean", x, window, strides, padding, data_format)


@operation("nn.pool input window_shape pooling_type strides padding data_format dilations")
def pool(
    scope: Scope,
    x: Any,
    window: Any,
    kind: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: Any = None,
    dilations: Any = None,
) -> int:
    """The maximum or the mean of each window."""
    if dilations is not None and set(scope.integers(dilations)) != {1}:
        raise scope.refuse("windows with gaps are not supported")
    word: Literal["max", "mean"] = "max" if scope.choice(kind, "max", "avg") == "max" else "mean"
    return _pool(scope, word, x, window, 1 if strides is None else strides, padding, data_format)


def _kernel(scope: Scope, kernel: Any, rank: int) -> Weight:
    if isinstance(kernel, Tensor):
        raise scope.refuse("a kernel that is computed is not supported")
    constant = scope.constant(scope.array(kernel))
    assert isinstance(constant, Weight)
    if len(constant.shape) != rank + 2:
        raise scope.wrong(f"a kernel of {rank + 2} axes", constant.shape)
    return constant


_CONV = "strides padding data_format dilations"


@operation(
    "Conv inputs kernel strides padding data_format dilation_rate", f"nn.conv2d input filters {_CONV}",
    "nn.conv1d input filters stride padding data_format dilations", f"nn.conv3d input filters {_CONV}",
    f"nn.convolution input filters {_CONV}", f"raw.Conv2D input filter {_CONV}", f"raw.Conv3D input filter {_CONV}",
)  # fmt: skip
def conv(
    scope: Scope,
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
    dilation: Any = None,
) -> int:
    """Convolution with a constant kernel. Groups follow from its channels."""

    def compute(value: int) -> int:
        extents, channels = _space(scope, value), scope.shape(value)[-1]
        w = _kernel(scope, kernel, len(extents))
        steps, gaps = (_sizes(scope, given, len(extents), data_format) for given in (strides, dilation))
        pads = _pads(scope, padding, extents, w.shape[:-2], steps, gaps)
        if channels % w.shape[-2]:
            raise GraphError(f"a kernel for {w.shape[-2]} channels does not divide {channels}")
        return conv_axes(scope.call, value, w, steps, pads, gaps, channels // w.shape[-2])

    return _on_last(scope, x, data_format, compute)


@operation("nn.atrous_conv2d value filters rate padding")
def atrous_conv(scope: Scope, x: Any, kernel: Any, rate: Any, padding: Any) -> int:
    """A convolution with gaps."""
    return conv(scope, x, kernel, 1, padding, None, rate)  # type: ignore[return-value]


@operation(
    "DepthwiseConv inputs kernel strides padding data_format dilation_rate",
    f"nn.depthwise_conv2d input filter {_CONV}", f"raw.DepthwiseConv2dNative input filter {_CONV}",
)  # fmt: skip
def depthwise_conv(
    scope: Scope,
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
    dilation: Any = None,
) -> int:
    """Convolution of each channel with constant kernels of its own."""

    def compute(value: int) -> int:
        extents = _space(scope, value)
        if len(extents) > 2:
            raise scope.refuse("depthwise convolutions of volumes are not supported")
        w = _kernel(scope, kernel, len(extents))
        steps, gaps = (_sizes(scope, given, len(extents), data_format) for given in (strides, dilation))
        pads = _pads(scope, padding, extents, w.shape[:-2], steps, gaps)
        return from_image(scope.call, len(extents), depthwise_axes(scope.call, value, w, steps, pads, gaps))

    return _on_last(scope, x, data_format, compute)


@operation(
    "SeparableConv inputs depthwise_kernel pointwise_kernel strides padding data_format dilation_rate",
    f"nn.separable_conv2d input depthwise_filter pointwise_filter {_CONV}",
)
def separable_conv(
    scope: Scope,
    x: Any,
    depthwise: Any,
    pointwise: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
    dilation: Any = None,
) -> int:
    """A depthwise convolution followed by one whose kernel is one pixel."""
    y = depthwise_conv(scope, x, depthwise, strides, padding, data_format, dilation)
    assert isinstance(y, int)
    return conv(scope, Tensor(y), pointwise, 1, "valid", data_format)  # type: ignore[return-value]


@operation(
    "nn.conv2d_transpose input filters output_shape strides padding data_format dilations",
    "nn.conv1d_transpose input filters output_shape strides padding data_format dilations",
    "nn.conv3d_transpose input filters output_shape strides padding data_format dilations",
    "nn.conv_transpose input filters output_shape strides padding data_format dilations",
)
def conv_transpose_to(
    scope: Scope,
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: Any = None,
    dilation: Any = None,
) -> int:
    """The gradient of a convolution with a constant kernel, to a given size."""
    same = scope.choice(padding, "valid", "same") == "same"

    def compute(value: int) -> int:
        rank = len(_space(scope, value))
        w = _kernel(scope, kernel, rank)
        steps, gaps = (_sizes(scope, given, rank, data_format) for given in (strides, dilation))
        first = str(data_format).lower() in _FIRST
        wanted = scope.integers(scope.listed(output_shape)[2:] if first else scope.listed(output_shape)[1:-1])
        if len(wanted) != rank:
            raise scope.wrong(f"a shape of {rank + 2} axes", output_shape)
        return transposed_axes(scope.call, value, w, steps, wanted, same, gaps)

    return _on_last(scope, x, data_format, compute)
