"""Picking elements in NumPy."""

import numpy as np

from engine.ir.ops import Gather, Select, Slice
from engine.ir.reference.activations import Array
from engine.ir.reference.run import evaluate


@evaluate.register
def _(op: Slice, x: Array) -> Array:
    for axis, (begin, count, step) in enumerate(zip(op.begin, op.count, op.step, strict=True), 1):
        x = np.take(x, [begin + j * step for j in range(count)], axis)
    return x


@evaluate.register
def _(op: Gather, x: Array) -> Array:
    return np.take(x, op.indexes, op.axis)


@evaluate.register
def _(op: Select, a: Array, b: Array, c: Array) -> Array:
    return np.where(a != 0, b, c)
