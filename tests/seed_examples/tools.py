"""Tools for the worked examples: layers and images in a few words, one operation on every kernel that computes it."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import engine
from engine.ir.ops import Op
from engine.kernels.isa import ISAS
from engine.plan.machine import fits
from tests.running import algorithms, one_op, run_graph

Array = NDArray[np.float32]
Build = Callable[..., engine.Model]

AVAILABLE = [isa for isa in ISAS if fits(isa)]


def a(kind: str, *weights: Any, **options: Any) -> dict[str, Any]:
    """A layer for the fixture `keras`; without a bias among its weights it has none."""
    if kind in ("Conv2D", "Dense"):
        size = np.shape(weights[0])
        options = {"use_bias": len(weights) > 1, **options}
        options |= {"units": size[-1]} if kind == "Dense" else {"filters": size[-1], "kernel_size": list(size[:2])}
    return {"kind": kind, "weights": weights, **options}


def image(*rows: list[float]) -> Array:
    """One image of one channel, as a batch."""
    return np.array(rows, np.float32)[None, ..., None]


def counting(h: int, w: int) -> Array:
    """1, 2, 3 … row by row, as a batch of one image."""
    return np.arange(1, h * w + 1, dtype=np.float32).reshape(1, h, w, 1)


def everywhere(op: Op, x: Array, *weights: Any) -> Iterator[tuple[str, Array]]:
    """The result of each algorithm on each instruction-set class of this machine, with a name for messages."""
    arrays = [np.asarray(w, np.float32) for w in weights]
    for isa in AVAILABLE:
        for name in algorithms(op, [x], arrays, isa):
            yield f"{name} on {isa.name}", run_graph(one_op(op, [x], arrays), [x], isa, algorithm=name)[0]


def check_everywhere(expected: Any, op: Op, x: Array, *weights: Any) -> None:
    """Every kernel gives exactly this batch."""
    for title, found in everywhere(op, x, *weights):
        np.testing.assert_array_equal(found, expected, err_msg=title)
