"""Inputs to measure with."""

import numpy as np
from numpy.typing import NDArray

from engine.ir.ops import Shape

_PERIOD = 1 << 14
_GOLDEN = 0.6180339887498949


def scattered(shape: Shape) -> NDArray[np.float32]:
    """Numbers that are spread evenly over [0, 1), each far from the one before; always the same.

    `numpy.random` would be 7 MB of memory in the processes whose memory is measured.
    """
    pattern = (np.arange(_PERIOD) * _GOLDEN % 1.0).astype(np.float32)
    return np.resize(pattern, shape)
