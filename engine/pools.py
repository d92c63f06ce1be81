"""`pool2d`: the pools as functions of arrays, without a model."""

from functools import lru_cache
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import GraphError, InputError
from engine.frontend.layers.geometry import window_pads
from engine.ir.fractional import fractional_regions
from engine.ir.graph import Graph, Node
from engine.ir.ops import GlobalPool, NormPool, Op, Pair, Pool, RegionPool, Shape
from engine.runtime.session import new_session

PoolKind: TypeAlias = Literal[
    "max", "average", "l2", "lp", "stochastic", "global_max", "global_average", "fractional_max", "fractional_average"
]
_KEPT = 64
"""Sessions kept for shapes and options used lately."""


def pool2d(
    x: ArrayLike,
    kind: PoolKind = "max",
    pool_size: int | Pair = 2,
    strides: int | Pair | None = None,
    padding: Literal["valid", "same"] = "valid",
    *,
    p: float = 2.0,
    keepdims: bool = False,
    pooling_ratio: float | tuple[float, float] = 2.0,
    pseudo_random: bool = False,
    overlapping: bool = False,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Pool an image (h, w), an image with channels (h, w, c), or a batch (n, h, w, c), channel by channel.

    - `max`, `average`, `l2`, `lp`, `stochastic` work on windows of `pool_size` at steps of `strides`, `pool_size`
      where it is None; the result is (..., oh, ow, c) with oh = floor((h − pool) / stride) + 1 for "valid", and
      ceil(h / stride) for "same", whose padding never counts. `lp` is (sum of |x|^p)^(1/p), `l2` the same with 2;
      `stochastic` weighs the positive numbers of a window by their share of the sum (Zeiler and Fergus, 2013).
    - `global_max`, `global_average` give one number a channel, (..., c), or (..., 1, 1, c) with `keepdims`.
    - `fractional_max`, `fractional_average` (Graham, 2014) give an image `pooling_ratio` times smaller from regions
      that `seed` draws as `tf.nn.fractional_max_pool` does; `overlapping` ones share their borders.

    Numbers are float32. Raises `InputError` for shapes and options that do not fit.
    """
    array = np.asarray(x, np.float32)
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        raise InputError(f"x: expected an image (h, w), (h, w, c) or (n, h, w, c), found shape {array.shape}")
    if kind not in get_args(PoolKind):
        raise InputError(f"kind: expected one of {', '.join(get_args(PoolKind))}, found {kind!r}")
    batch = array.reshape((1,) * (array.ndim < 4) + array.shape + (1,) * (array.ndim == 2))
    shape = batch.shape[1:]
    try:
        if kind.startswith("global"):
            op: Op = GlobalPool(_reduction(kind), keepdims)
        elif kind.startswith("fractional"):
            ratios = pooling_ratio if isinstance(pooling_ratio, tuple) else (pooling_ratio, pooling_ratio)
            regions = fractional_regions(
                (shape[0], shape[1]), ratios, pseudo_random=pseudo_random, overlapping=overlapping, seed=seed
            )
            op = RegionPool(_reduction(kind), *regions)
        else:
            size = _pair("pool_size", pool_size)
            op = _windows(kind, shape, size, size if strides is None else _pair("strides", strides), padding, p)
        session = _session(op, shape)
    except GraphError as error:
        raise InputError(str(error)) from None
    y: NDArray[np.float32] = session.run([batch], len(batch))[0]
    y = y[0] if array.ndim < 4 else y
    return y[..., 0] if array.ndim == 2 else y


def _reduction(kind: str) -> Literal["max", "mean"]:
    return "max" if kind.endswith("max") else "mean"


def _windows(kind: str, shape: Shape, size: Pair, steps: Pair, padding: str, p: float) -> Op:
    if padding not in ("valid", "same"):
        raise InputError(f"padding: expected 'valid' or 'same', found {padding!r}")
    rows, columns = window_pads(padding, shape[:2], size, steps, (1, 1))
    if kind in ("max", "average"):
        return Pool(_reduction(kind), size, steps, (rows, columns))
    word: Literal["norm", "stochastic"] = "stochastic" if kind == "stochastic" else "norm"
    return NormPool(word, size, steps, (rows, columns), p if kind == "lp" else 2.0)


def _pair(name: str, value: Any) -> Pair:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):
        raise InputError(f"{name}: expected a whole number above zero or two, found {value!r}")
    return pair[0], pair[1]


@lru_cache(_KEPT)
def _session(op: Op, shape: Shape) -> Any:
    result = op.result(shape)
    return new_session(Graph((0,), (1,), (Node(op, (0,), 1, "pool"),), {0: shape, 1: result}), None)
