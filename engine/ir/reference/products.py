"""Products of two values in NumPy."""

import numpy as np

from engine.ir.ops import MatMul
from engine.ir.reference.activations import Array
from engine.ir.reference.run import evaluate


@evaluate.register
def _(op: MatMul, a: Array, b: Array) -> Array:
    product: Array = a @ (np.swapaxes(b, -1, -2) if op.transposed else b) * op.scale
    return product
