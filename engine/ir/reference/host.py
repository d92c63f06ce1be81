"""Functions of the user's, called."""

import numpy as np

from engine.errors import InputError
from engine.ir.ops import HostCall
from engine.ir.reference.activations import Array
from engine.ir.reference.run import evaluate, flush


@evaluate.register
def _(op: HostCall, *operands: Array) -> Array:
    return flush(call_host(op, [np.asarray(a, np.float32) for a in operands]))


def call_host(op: HostCall, operands: list[np.ndarray]) -> np.ndarray:
    """The function's result as float32 (n, *shape). Raises `InputError` for any other shape."""
    found = np.asarray(op.function(*operands), np.float32)
    if found.shape[1:] != op.shape:
        name = getattr(op.function, "__name__", "a function")
        raise InputError(f"{name} returned shape {found.shape}, expected (n, {', '.join(map(str, op.shape))})")
    return found
