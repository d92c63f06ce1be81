"""Activation functions in NumPy."""

from collections.abc import Callable
from math import erf
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.ir.ops import Activation

Array: TypeAlias = NDArray[Any]


def activate(f: Activation, x: Array) -> Array:
    """An activation function, element by element."""
    if f.kind == "linear":
        return x
    with np.errstate(all="ignore"):
        return _ACTIVATIONS[f.kind](x, f)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array) -> Array:
    return np.logaddexp(x, 0.0)


def _slope(x: Array, a: float) -> Array:
    """a·x, and 0 for a = 0 even where x is infinite."""
    return x * a if a else np.zeros_like(x)


def _hard_sigmoid(x: Array, f: Activation) -> Array:
    return np.clip(f.a * x + f.b, 0, 1)


def _elu(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(x))


def _gelu_tanh(x: Array) -> Array:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _squareplus(x: Array, f: Activation) -> Array:
    """(x + √(x² + a)) / 2, below zero written so that nothing cancels."""
    length = np.sqrt(x * x + f.a)
    return np.where(x < 0, 0.5 * f.a / (length - x), 0.5 * (x + length))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

_erf = np.vectorize(erf, otypes=[np.float64])

_ACTIVATIONS: dict[str, Callable[[Array, Activation], Array]] = {
    "relu": lambda x, f: np.where(x >= f.b, np.minimum(x, f.c), np.where(np.isnan(x), x, _slope(x - f.b, f.a))),
    "sigmoid": lambda x, f: _sigmoid(x),
    "tanh": lambda x, f: np.tanh(x),
    "elu": lambda x, f: _elu(x, f.a),
    "selu": lambda x, f: SELU_SCALE * _elu(x, SELU_ALPHA),
    "softplus": lambda x, f: _softplus(x),
    "softsign": lambda x, f: x / (1 + np.abs(x)),
    "swish": lambda x, f: x * _sigmoid(x),
    "gelu": lambda x, f: 0.5 * x * (1 + _erf(x / np.sqrt(2))),
    "gelu_tanh": lambda x, f: _gelu_tanh(x),
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": lambda x, f: x * _hard_sigmoid(x, f),
    "exp": lambda x, f: np.exp(x),
    "mish": lambda x, f: x * np.tanh(_softplus(x)),
    "log_sigmoid": lambda x, f: -_softplus(-x),
    "tanh_shrink": lambda x, f: x - np.tanh(x),
    "soft_shrink": lambda x, f: np.where(x > f.a, x - f.a, np.where(x < -f.a, x + f.a, x * 0.0)),
    "hard_shrink": lambda x, f: np.where(np.abs(x) <= f.a, 0.0, x),
    "celu": lambda x, f: np.where(x > 0, x, f.a * np.expm1(x / f.a)),
    "squareplus": _squareplus,
    "sparse_plus": lambda x, f: np.where(x <= -1, x * 0.0, np.where(x < 1, 0.25 * (x + 1) ** 2, x)),
    "sparse_sigmoid": lambda x, f: np.clip(0.5 * (x + 1), 0, 1),
    "hard_tanh": lambda x, f: np.clip(x, -1, 1),
    "threshold": lambda x, f: np.where(np.isnan(x) | (x > f.a), x, f.b),
    "abs": lambda x, f: np.abs(x),
    "sqrt": lambda x, f: np.sqrt(x),
    "rsqrt": lambda x, f: 1 / np.sqrt(x),
    "reciprocal": lambda x, f: 1 / x,
    "square": lambda x, f: x * x,
    "negative": lambda x, f: -x,
    "log": lambda x, f: np.log(x),
    "log1p": lambda x, f: np.log1p(x),
    "expm1": lambda x, f: np.expm1(x),
    "sign": lambda x, f: np.sign(x),
    "floor": lambda x, f: np.floor(x),
    "ceil": lambda x, f: np.ceil(x),
    "round": lambda x, f: np.round(x),
    "sin": lambda x, f: np.sin(x),
    "cos": lambda x, f: np.cos(x),
    "erf": lambda x, f: _erf(x),
    "logical_not": lambda x, f: 1.0 * (x == 0),
    "is_nan": lambda x, f: 1.0 * np.isnan(x),
}
