"""Functions that scale by statistics: given ones, or those of each example."""

from typing import Any

import numpy as np

from engine.frontend.call import Tensor
from engine.frontend.config import table
from engine.frontend.operations.reductions import reduce
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.shapes import without
from engine.frontend.operations.table import operation
from engine.frontend.weights import MAX_DERIVED
from engine.ir.graph import Operand
from engine.ir.ops import Dense


@operation("nn.batch_normalization x mean variance offset scale variance_epsilon")
def scaled(scope: Scope, x: Any, mean: Any, variance: Any, offset: Any, scale: Any, epsilon: Any) -> int:
    """(x − mean) / sqrt(variance + epsilon) · scale + offset, each spread over the first axes."""
    value, factor, centre = scope.together(x, _inverse(scope, variance, epsilon), mean)
    y = scope.binary("mul", scope.binary("sub", value, centre), factor)
    if scale is not None:
        y = scope.binary("mul", *scope.together(Tensor(y), scale))
    return y if offset is None else scope.binary("add", *scope.together(Tensor(y), offset))


def _given(epsilon: Any) -> Any:
    return 1e-7 if epsilon is None else epsilon


def _inverse(scope: Scope, variance: Any, epsilon: Any) -> Any:
    """1 / sqrt(variance + epsilon)."""
    if isinstance(variance, Tensor):
        more = scope.binary("add", variance.value, scope.number_of(scope.number(epsilon)))
        return Tensor(scope.activate(more, "rsqrt"))
    with np.errstate(all="ignore"):
        return 1 / np.sqrt(scope.array(variance) + scope.number(epsilon))


@operation("BatchNorm x mean variance axis offset scale epsilon")
def batch_norm(
    scope: Scope,
    x: Any,
    mean: Any,
    variance: Any,
    axis: Any,
    offset: Any = None,
    scale: Any = None,
    epsilon: Any = 1e-3,
) -> int:
    """(x − mean) / sqrt(variance + epsilon) · scale + offset along one axis."""
    value = scope.value(x)
    rank = scope.rank(value)
    behind = rank - 1 - scope.axis(axis, rank)

    def along(statistics: Any) -> Any:
        if statistics is None or isinstance(statistics, Tensor):
            return statistics
        return scope.array(statistics).reshape(-1, *[1] * behind)

    return scaled(scope, x, along(mean), along(variance), along(offset), along(scale), epsilon)  # type: ignore[return-value]


@operation(*(f"raw.FusedBatchNorm{n} x scale offset mean variance epsilon" for n in ("", "V2", "V3")))
def fused(scope: Scope, x: Any, scale: Any, offset: Any, mean: Any, variance: Any, epsilon: Any = 1e-4) -> int:
    """As batch normalization along the last axis."""
    return scaled(scope, x, mean, variance, offset, scale, epsilon)  # type: ignore[return-value]


@operation("LayerNorm x gamma beta axis epsilon")
def layer_norm(scope: Scope, x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: Any = None) -> int:
    """(x − mean) / sqrt(variance + epsilon) · gamma + beta over one axis or several of each example."""
    mean, variance = _statistics(scope, x, axis)
    return scaled(scope, x, Tensor(mean), Tensor(variance), beta, gamma, _given(epsilon))  # type: ignore[return-value]


@operation("RMSNorm x scale axis epsilon")
def rms_norm(scope: Scope, x: Any, scale: Any = None, axis: Any = -1, epsilon: Any = None) -> int:
    """x / sqrt(mean of squares + epsilon) · scale over one axis or several of each example."""
    value = scope.value(x)
    squares = reduce(scope, "mean", scope.activate(value, "square"), axis, True)
    inverse = _inverse(scope, Tensor(squares), _given(epsilon))
    y = scope.binary("mul", value, inverse.value)
    return y if scale is None else scope.binary("mul", *scope.together(Tensor(y), scale))


@operation("Moments x axes keepdims", "nn.moments x axes keepdims")
def moments(scope: Scope, x: Any, axes: Any, keepdims: Any = False) -> tuple[int, ...]:
    """Mean and variance along axes of each example."""
    found = _statistics(scope, x, axes)
    if scope.flag(keepdims):
        return found
    value = scope.value(x)
    chosen = scope.axes(axes, scope.rank(value))
    left = without(scope.shape(value), set(chosen))
    return tuple(scope.reshape(y, left) for y in found)


def _statistics(scope: Scope, x: Any, axes: Any) -> tuple[int, int]:
    value = scope.value(x)
    mean = reduce(scope, "mean", value, axes, True)
    squares = scope.activate(scope.binary("sub", value, mean), "square")
    return mean, reduce(scope, "mean", squares, axes, True)


@operation(
    "nn.local_response_normalization input depth_radius bias alpha beta", "nn.lrn input depth_radius bias alpha beta",
    "raw.LRN input depth_radius bias alpha beta",
)  # fmt: skip
def local_response(scope: Scope, x: Any, radius: Any = 5, bias: Any = 1, alpha: Any = 1, beta: Any = 0.5) -> int:
    """x / (bias + alpha · sum of squares of the channels nearby)^beta."""
    value, reach = scope.value(x), scope.integer(radius)
    size = scope.shape(value)[-1]
    table(size * size, MAX_DERIVED)
    places = np.arange(size)
    near = np.abs(places[:, None] - places) <= reach
    sums = scope.emit(Dense(), scope.activate(value, "square"), scope.constant(scope.number(alpha) * near))
    base = scope.binary("add", sums, scope.number_of(scope.number(bias)))
    exponent: Operand = scope.number_of(scope.number(beta))
    return scope.binary("div", value, scope.binary("pow", base, exponent))


@operation("image.per_image_standardization image")
def standardized(scope: Scope, x: Any) -> int:
    """(x − mean) / max(deviation, 1/√n) over each image of n numbers."""
    value = scope.value(x)
    axes = list(range(1, scope.rank(value) + 1))
    mean, variance = _statistics(scope, x, axes)
    least = 1 / np.sqrt(np.prod(scope.shape(value)))
    deviation = scope.binary("max", scope.activate(variance, "sqrt"), scope.number_of(float(least)))
    return scope.binary("div", scope.binary("sub", value, mean), deviation)


@operation("clip_by_norm t clip_norm axes")
def clip_by_norm(scope: Scope, x: Any, most: Any, axes: Any = None) -> int:
    """x, made as much shorter along axes as its length is above a number."""
    value, limit = scope.value(x), scope.number_of(scope.number(most))
    length = scope.activate(reduce(scope, "sum", scope.activate(value, "square"), axes, True), "sqrt")
    return scope.binary("div", scope.binary("mul", value, limit), scope.binary("max", length, limit))


@operation("math.reduce_euclidean_norm input_tensor axis keepdims")
def euclidean_norm(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
    """The square root of the sum of squares."""
    return scope.activate(reduce(scope, "sum", scope.activate(scope.value(x), "square"), axis, keepdims), "sqrt")
