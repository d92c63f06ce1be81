"""Layers that normalize each example with its own statistics."""

from math import prod

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.geometry import example_axes, over_axes
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import Activate, Activation, Binary, Normalize, Reduce, Reshape, ScaleShift, Transpose


def _joined(call: Call, weight: Weight | None, name: str, size: int, otherwise: float) -> Weight:
    """A weight as one axis, or a constant where the layer has none."""
    if weight is None:
        return call.constant(name, [otherwise], (size,))
    return call.derive(name, (size,), lambda: weight.read().reshape(size))


def _normalized(call: Call, axes: list[int], op: Normalize, gamma: Weight | None, beta: Weight | None = None) -> int:
    def compute(x: int) -> int:
        size = call.shape(x)[-1]
        scale, shift = _joined(call, gamma, "scale", size, 1.0), _joined(call, beta, "shift", size, 0.0)
        return call.emit(op, x, scale, shift)

    return over_axes(call, call.x, axes, compute)


@layer("LayerNormalization")
def layer_normalization(call: Call) -> int:
    """(x − mean) / sqrt(variance + epsilon) · gamma + beta over one axis or several."""
    config, axes = call.config, example_axes(call, "axis", -1, call.rank(call.x))
    shape, epsilon = tuple(call.shape(call.x)[axis] for axis in axes), config.number("epsilon", 1e-3)
    by_variance = config.flag("rms_scaling", False)
    gamma = call.weight("gamma", shape) if config.flag("scale", True) or by_variance else None
    beta = call.weight("beta", shape) if config.flag("center", True) and not by_variance else None
    if by_variance:
        return _by_deviation(call, axes, epsilon, gamma)
    return _normalized(call, axes, Normalize(epsilon), gamma, beta)


def _by_deviation(call: Call, axes: list[int], epsilon: float, gamma: Weight | None) -> int:
    """x / sqrt(variance + epsilon) · gamma: what Keras computes for `rms_scaling`."""

    def compute(x: int) -> int:
        size = call.shape(x)[-1]
        ones = call.constant("ones", [1.0], (size,))
        centred = call.emit(Binary("sub"), x, call.emit(Reduce("mean", (-1,), keepdims=True), x))
        squares = call.emit(Activate(Activation("square")), centred)
        variance = call.emit(Reduce("mean", (-1,), keepdims=True), squares)
        deviation = call.emit(Activate(Activation("sqrt")), call.emit(Binary("add"), variance, call.scalar(epsilon)))
        y = call.emit(Binary("div"), x, deviation)
        zeros = call.constant("zeros", [0.0], (size,))
        return call.emit(ScaleShift(), y, ones if gamma is None else _joined(call, gamma, "scale", size, 1.0), zeros)

    return over_axes(call, call.x, axes, compute)


@layer("RMSNormalization")
def rms_normalization(call: Call) -> int:
    """x / sqrt(mean of squares + epsilon) · scale over one axis or several."""
    axes = example_axes(call, "axis", -1, call.rank(call.x))
    gamma = call.weight("scale", tuple(call.shape(call.x)[axis] for axis in axes))
    return _normalized(call, axes, Normalize(call.config.number("epsilon", 1e-6), centered=False), gamma)


@layer("UnitNormalization")
def unit_normalization(call: Call) -> int:
    """x over its Euclidean norm along one axis or several."""
    axes = example_axes(call, "axis", -1, call.rank(call.x))

    def compute(x: int) -> int:
        squares = call.emit(Reduce("sum", (-1,), keepdims=True), call.emit(Activate(Activation("square")), x))
        least = 1e-24 if call.dialect.major > 2 else 1e-12
        norm = call.emit(Activate(Activation("sqrt")), call.emit(Binary("max"), squares, call.scalar(least)))
        return call.emit(Binary("div"), x, norm)

    return over_axes(call, call.x, axes, compute)


@layer("GroupNormalization")
def group_normalization(call: Call) -> int:
    """Each group of channels normalized over all other axes, then gamma and beta for each channel."""
    config, shape = call.config, call.shape(call.x)
    (axis,) = example_axes(call, "axis", -1, len(shape))
    channels, groups = shape[axis], config.integer("groups", 32, low=-1)
    groups = channels if groups == -1 else groups
    if groups < 1 or channels % groups:
        raise GraphError(f"{groups} groups do not divide {channels} channels")
    gamma = call.weight("gamma", (channels,)) if config.flag("scale", True) else None
    beta = call.weight("beta", (channels,)) if config.flag("center", True) else None
    epsilon = config.number("epsilon", 1e-3)
    order = (axis, *(a for a in range(len(shape)) if a != axis))
    x = call.x if axis == 0 else call.emit(Transpose(order), call.x)
    moved = call.shape(x)
    x = call.emit(Reshape((groups, prod(moved) // groups)), x)
    size = call.shape(x)[-1]
    x = call.emit(Normalize(epsilon), x, call.constant("ones", [1.0], (size,)), call.constant("zeros", [0.0], (size,)))
    x = call.emit(Reshape(moved), x)
    x = x if axis == 0 else call.emit(Transpose(tuple(order.index(a) for a in range(len(shape)))), x)
    if gamma is None and beta is None:
        return x
    scale, shift = _joined(call, gamma, "scale", channels, 1.0), _joined(call, beta, "shift", channels, 0.0)
    return over_axes(call, x, [axis], lambda y: call.emit(ScaleShift(), y, scale, shift))


@layer("SpectralNormalization", ignored=("power_iterations",))
def spectral_normalization(call: Call) -> int:
    """The layer inside as it is: its weights were normalized in training."""
    child = call.child("layer", call.config.raw("layer"))
    outputs = call.run(child, *call.inputs)
    kernel = next((p for name, p in child.parameters.items() if name in ("kernel", "embeddings")), None)
    if kernel is None:
        raise call.refuse(f"the layer inside, {child.spec.class_name}, has no kernel")
    call.layer.parameters.setdefault("kernel", kernel)
    call.weight("vector_u", (1, kernel.weight.shape[-1]), trainable=False)
    return outputs[0]
