"""Whole axes in NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.ir.ops import Normalize, Reduce
from engine.ir.reference.activations import Array
from engine.ir.reference.run import evaluate

_REDUCE: dict[str, Callable[..., Any]] = {
    "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod,
}  # fmt: skip


@evaluate.register
def _(op: Reduce, x: Array) -> Array:
    result: Array = _REDUCE[op.kind](x, axis=op.axes, keepdims=op.keepdims)
    return result


@evaluate.register
def _(op: Normalize, x: Array, scale: Array, shift: Array) -> Array:
    if op.centered:
        x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + op.epsilon) * scale + shift
