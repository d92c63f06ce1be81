"""The slow twin: what every operation means, in NumPy float64, written to be obviously right.

Arrays carry the batch axis first. Inputs and weights below the smallest normal float32 count as zero, as they do in
the kernels. Kernels are tested against this module and `infer verify` runs whole models on it.
"""

from engine.ir.reference import (  # noqa: F401  # each registers its operations
    arithmetic,
    host,
    local,
    movement,
    products,
    reduction,
    resampling,
    selection,
    sequence,
    windows,
)
from engine.ir.reference.activations import activate
from engine.ir.reference.run import evaluate, flush, run

__all__ = ["activate", "evaluate", "flush", "run"]
