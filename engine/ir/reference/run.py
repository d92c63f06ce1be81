"""Graphs on the slow twin, and the registry of what each operation means."""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ir.graph import Graph, Operand, Weight
from engine.ir.ops import Binary, Op, Select, Shape
from engine.ir.reference.activations import Array

_TINY = float(np.finfo(np.float32).tiny)


def flush(array: NDArray[Any]) -> Array:
    """A float64 copy in which float32 denormals are zeros of their sign."""
    wide = np.asarray(array, np.float64)
    return np.where(np.abs(wide) < _TINY, np.copysign(0.0, wide), wide)


def run(graph: Graph, inputs: Sequence[NDArray[Any]]) -> dict[int, Array]:
    """Every value of the graph for a batch. `inputs` are arrays (n, ...) in the order of `graph.inputs`."""
    values = {v: flush(x) for v, x in zip(graph.inputs, inputs, strict=True)}
    for node in graph.nodes:
        operands = [flush(o.read()) if isinstance(o, Weight) else values[o] for o in node.operands]
        if isinstance(node.op, Binary | Select):
            operands = [_widened(o, a, graph.shapes[node.output]) for o, a in zip(node.operands, operands, strict=True)]
        with np.errstate(all="ignore"):
            values[node.output] = evaluate(node.op, *operands)
    return values


def _widened(operand: Operand, array: Array, result: Shape) -> Array:
    """A value with as many axes as the result has, so that its batch axis broadcasts with nothing else."""
    if isinstance(operand, Weight):
        return array
    return array.reshape(len(array), *[1] * (len(result) + 1 - array.ndim), *array.shape[1:])


@singledispatch
def evaluate(op: Op, *operands: Array) -> Array:
    """The value of one operation. Weights come without a batch axis, everything else with one."""
    raise NotImplementedError(type(op).__name__)
