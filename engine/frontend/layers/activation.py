"""Activation functions by name, as configured objects, and as layers."""

from typing import Any

from engine.frontend.call import Call
from engine.frontend.layers.geometry import example_axes, over_axes
from engine.frontend.registry import layer, run_layer
from engine.ir.ops import Activate, Activation, Softmax

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
    if chosen is None or chosen == "linear":
        return x
    if chosen in ("softmax", "softmax_v2"):
        return call.emit(Softmax(), x)
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
    """exp(x) over its sum along one axis or several together."""
    axes = example_axes(call, "axis", -1, call.rank(call.x))
    return over_axes(call, call.x, axes, lambda x: call.emit(Softmax(), x))
