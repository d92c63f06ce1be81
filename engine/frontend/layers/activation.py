"""Activation functions by name, as configured objects, and as layers."""

from typing import Any

from engine.frontend.call import Call
from engine.frontend.layers.geometry import example_axes, example_axis, over_axes
from engine.frontend.registry import layer, run_layer
from engine.ir.ops import Activate, Activation, Binary, Reduce, Reshape, Select, Slice, Softmax

_PLAIN = {
    "linear": Activation("linear"),
    "relu": Activation("relu"),
    "relu6": Activation("relu", c=6.0),
    "leaky_relu": Activation("relu", a=0.2),
    "sigmoid": Activation("sigmoid"),
    "tanh": Activation("tanh"),
    "elu": Activation("elu", a=1.0),
    "selu": Activation("selu"),
    "celu": Activation("celu", a=1.0),
    "softplus": Activation("softplus"),
    "softsign": Activation("softsign"),
    "swish": Activation("swish"),
    "silu": Activation("swish"),
    "gelu": Activation("gelu"),
    "exponential": Activation("exp"),
    "exp": Activation("exp"),
    "mish": Activation("mish"),
    "log_sigmoid": Activation("log_sigmoid"),
    "tanh_shrink": Activation("tanh_shrink"),
    "soft_shrink": Activation("soft_shrink", a=0.5),
    "hard_shrink": Activation("hard_shrink", a=0.5),
    "squareplus": Activation("squareplus", a=4.0),
    "sparse_plus": Activation("sparse_plus"),
    "sparse_sigmoid": Activation("sparse_sigmoid"),
    "hard_tanh": Activation("hard_tanh"),
    "hard_silu": Activation("hard_swish", a=1 / 6, b=0.5),
    "hard_swish": Activation("hard_swish", a=1 / 6, b=0.5),
}
"""Functions that every version computes alike, with Keras's default parameters."""


_CUSTOM = {
    **{name: name for name in ("relu6", "swish", "silu", "gelu", "mish", "hard_swish")},
    "hswish": "hard_swish",
    "h_swish": "hard_swish",
}
"""Functions of one meaning that people registered before Keras had them, as `package>name` or by name."""


def log_softmax(call: Call, x: int) -> int:
    """x less the logarithm of the sum of exp(x), along the last axis."""
    shifted = call.emit(Binary("sub"), x, call.emit(Reduce("max", (-1,), keepdims=True), x))
    total = call.emit(Reduce("sum", (-1,), keepdims=True), call.emit(Activate(Activation("exp")), shifted))
    return call.emit(Binary("sub"), shifted, call.emit(Activate(Activation("log")), total))


def sparsemax(call: Call, x: int) -> int:
    """max(x − t, 0) along the last axis.

    An element counts if 1 + k·x exceeds s, the sum of the k elements that are not smaller. Keras takes for t the sum
    of s over all that count, less 1, over their number.
    """
    *lead, n = call.shape(x)
    each, others = call.emit(Reshape((*lead, n, 1)), x), call.emit(Reshape((*lead, 1, n)), x)
    above = call.emit(Binary("less_equal"), each, others)
    count = call.emit(Reduce("sum", (-1,)), above)
    total = call.emit(Reduce("sum", (-1,)), call.emit(Binary("mul"), above, others))
    bound = call.emit(Binary("add"), call.emit(Binary("mul"), count, x), call.scalar(1.0))
    counts = call.emit(Binary("greater"), bound, total)
    kept = call.emit(Reduce("sum", (-1,), keepdims=True), call.emit(Binary("mul"), counts, total))
    excess = call.emit(Binary("sub"), kept, call.scalar(1.0))
    threshold = call.emit(Binary("div"), excess, call.emit(Reduce("sum", (-1,), keepdims=True), counts))
    return call.emit(Activate(Activation("relu")), call.emit(Binary("sub"), x, threshold))


def glu(call: Call, x: int) -> int:
    """The first half of the last axis times the sigmoid of the second."""
    shape = call.shape(x)
    half = (*shape[:-1], shape[-1] // 2)
    begin, step = (0,) * (len(shape) - 1), (1,) * len(shape)
    first, second = (call.emit(Slice((*begin, at), half, step), x) for at in (0, half[-1]))
    return call.emit(Binary("mul"), first, call.emit(Activate(Activation("sigmoid")), second))


_BY_ROW = {"log_softmax": log_softmax, "log_softmax_v2": log_softmax, "sparsemax": sparsemax, "glu": glu}
"""Functions whose results depend on the whole row."""

_AS_OBJECTS = ("Activation", "ELU", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU")
"""Layers without weights that may stand where an activation function is expected."""


def fused_activation(call: Call, x: int) -> int:
    """The `activation` of a layer's configuration, applied to `x` as an operation of its own."""
    return apply_activation(call, call.config.raw("activation", None), x)


def apply_activation(call: Call, chosen: Any, x: int) -> int:
    """An activation function given as Keras writes it: None, a name, or a serialized function or layer."""
    if isinstance(chosen, dict):
        class_name, config = call.dialect.translate(str(chosen.get("class_name")), _config_of(chosen))
        if class_name in _AS_OBJECTS:
            return run_layer(class_name, call.also(config, class_name, x))[0]
        chosen = chosen.get("config") if class_name == "function" else class_name
    if isinstance(chosen, str) and chosen.rpartition(">")[2] in _CUSTOM:
        chosen = _CUSTOM[chosen.rpartition(">")[2]]
    if chosen is None or chosen == "linear":
        return x
    if chosen in ("softmax", "softmax_v2"):
        return call.emit(Softmax(), x)
    if isinstance(chosen, str) and chosen in _BY_ROW:
        return _BY_ROW[chosen](call, x)
    if chosen == "hard_sigmoid":
        slope, offset = call.dialect.hard_sigmoid
        return call.emit(Activate(Activation("hard_sigmoid", a=slope, b=offset)), x)
    if not isinstance(chosen, str) or chosen not in _PLAIN:
        raise call.refuse(f"activation {repr(chosen)[:60]} is not supported")
    return call.emit(Activate(_PLAIN[chosen]), x)


def _config_of(chosen: dict[str, Any]) -> dict[str, Any]:
    config = chosen.get("config")
    return config if isinstance(config, dict) else {}


@layer("Activation")
def activation(call: Call) -> int:
    """Any activation function by name or serialized."""
    return fused_activation(call, call.x)


@layer("ReLU")
def relu(call: Call) -> int:
    """x above a threshold up to a maximum, a slope below."""
    config = call.config
    slope, threshold = config.optional_number("negative_slope"), config.optional_number("threshold")
    limit = config.optional_number("max_value")
    limit = float("inf") if limit is None else limit
    return call.emit(Activate(Activation("relu", a=slope or 0.0, b=threshold or 0.0, c=limit)), call.x)


@layer("LeakyReLU")
def leaky_relu(call: Call) -> int:
    """x, or a slope times x where x is negative."""
    return call.emit(Activate(Activation("relu", a=call.config.number("negative_slope", 0.3))), call.x)


@layer("ThresholdedReLU")
def thresholded_relu(call: Call) -> int:
    """x above theta, else zero."""
    return call.emit(Activate(Activation("threshold", a=call.config.number("theta", 1.0))), call.x)


@layer("ELU")
def elu(call: Call) -> int:
    """x, or alpha times exp(x) − 1 where x is negative."""
    return call.emit(Activate(Activation("elu", a=call.config.number("alpha", 1.0))), call.x)


@layer("Softmax")
def softmax(call: Call) -> int:
    """exp(x) over its sum along one axis or several together; where there is a mask, of the elements that count."""
    axes, x, mask = example_axes(call, "axis", -1, call.rank(call.x)), call.x, call.mask(call.x)
    if mask is not None:
        if call.rank(mask) != call.rank(x):
            raise call.refuse(f"a mask {call.shape(mask)} does not fit {call.shape(x)}")
        x = call.emit(Select(), mask, x, call.scalar(-1e9))
    return over_axes(call, x, axes, lambda x: call.emit(Softmax(), x))


@layer("PReLU")
def prelu(call: Call) -> int:
    """x, or a learnt slope times x where x is negative; a slope for each place, shared along some axes."""
    shape = list(call.shape(call.x))
    if call.config.raw("shared_axes", None) is not None:
        for axis in call.config.integers("shared_axes", low=-len(shape)):
            shape[example_axis(axis, len(shape))] = 1
    return call.emit(Binary("prelu"), call.x, call.weight("alpha", tuple(shape)))
