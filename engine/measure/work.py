"""How much arithmetic an operation is, and how many bytes it has to move."""

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ir.ops import Conv, ConvTranspose, Dense, DepthwiseConv, LocalDense, MatMul, Recurrent
from engine.plan.program import Origin
from engine.plan.step import Step


def flops(origin: Origin) -> float:
    """Multiplications and additions an image, as the operation defines them, whatever the algorithm saves.

    0 where the work is moving numbers.
    """
    x, *_ = origin.values or ((),)
    match origin.op:
        case Conv() | Dense():
            inner = prod(origin.weights[0][:-1])
            return 2.0 * inner * prod(origin.result)
        case DepthwiseConv():
            return 2.0 * prod(origin.weights[0][:2]) * prod(origin.result)
        case ConvTranspose():
            kh, kw, _, f = origin.weights[0]
            return 2.0 * kh * kw * f * prod(x)
        case LocalDense():
            return 2.0 * origin.weights[0][1] * prod(origin.result)
        case MatMul():
            return 2.0 * x[-1] * prod(origin.result)
        case Recurrent():
            return 2.0 * prod(x[:-1]) * sum(map(prod, origin.weights[:2]))
    return 0.0


def value_bytes(origin: Origin) -> int:
    """Bytes an image of the operands and the result, each counted once."""
    return 4 * (sum(map(prod, origin.values)) + prod(origin.result))


def packed(steps: Iterable[Step]) -> list[NDArray[Any]]:
    """The constants of the steps as they lie in memory, each once."""
    fields = (field for step in steps for field in step.fields.values() if isinstance(field, np.ndarray))
    return list({field.ctypes.data: field for field in fields}.values())


def packed_bytes(steps: Iterable[Step]) -> int:
    """Bytes of the constants of the steps."""
    return sum(array.nbytes for array in packed(steps))
