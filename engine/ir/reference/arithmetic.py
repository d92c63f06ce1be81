"""Sums, products and elementwise functions in NumPy."""

from collections.abc import Callable

import numpy as np

from engine.ir.ops import Activate, Binary, Dense, ScaleShift, Softmax
from engine.ir.reference.activations import Array, activate
from engine.ir.reference.run import evaluate

_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
    "pow": np.power,
    "floor_divide": lambda a, b: np.floor(a / b),
    "mod": lambda a, b: a - b * np.floor(a / b),
    "squared_difference": lambda a, b: (a - b) ** 2,
    "prelu": lambda a, b: np.where(a > 0, a, a * b),
    "equal": lambda a, b: 1.0 * (a == b),
    "not_equal": lambda a, b: 1.0 * (a != b),
    "less": lambda a, b: 1.0 * (a < b),
    "less_equal": lambda a, b: 1.0 * (a <= b),
    "greater": lambda a, b: 1.0 * (a > b),
    "greater_equal": lambda a, b: 1.0 * (a >= b),
    "logical_and": lambda a, b: 1.0 * ((a != 0) & (b != 0)),
    "logical_or": lambda a, b: 1.0 * ((a != 0) | (b != 0)),
}


@evaluate.register
def _(op: Dense, x: Array, w: Array, bias: Array | float = 0.0) -> Array:
    return activate(op.activation, x @ w + bias)


@evaluate.register
def _(op: ScaleShift, x: Array, scale: Array, shift: Array) -> Array:
    return activate(op.activation, x * scale + shift)


@evaluate.register
def _(op: Activate, x: Array) -> Array:
    return activate(op.activation, x)


@evaluate.register
def _(op: Softmax, x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@evaluate.register
def _(op: Binary, a: Array, b: Array) -> Array:
    return activate(op.activation, _BINARY[op.kind](a, b))
