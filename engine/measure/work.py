"""How much arithmetic an operation is, and how many bytes it has to move."""

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ir.work import multiply_adds
from engine.plan.program import Task
from engine.plan.step import Step


def flops(task: Task) -> float:
    """Multiplications and additions an image, as the operation defines them, whatever the algorithm saves.

    0 where the work is moving numbers.
    """
    return 2.0 * multiply_adds(task.op, task.values, task.weights, task.result)


def value_bytes(task: Task) -> int:
    """Bytes an image of the operands and the result, each counted once."""
    return 4 * (sum(map(prod, task.values)) + prod(task.result))


def packed(steps: Iterable[Step]) -> list[NDArray[Any]]:
    """The constants of the steps as they lie in memory, each once."""
    fields = (field for step in steps for field in step.fields.values() if isinstance(field, np.ndarray))
    return list({field.ctypes.data: field for field in fields}.values())


def packed_bytes(steps: Iterable[Step]) -> int:
    """Bytes of the constants of the steps."""
    return sum(array.nbytes for array in packed(steps))
