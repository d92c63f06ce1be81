"""Pooling variants that Keras has not; files carry them as custom layers of these names."""

from typing import Literal

from engine.frontend.call import Call
from engine.frontend.config import table
from engine.frontend.layers.geometry import on_channels_last, require_rank, window_pads
from engine.frontend.registry import layer
from engine.ir.fractional import fractional_regions
from engine.ir.ops import NormPool, RegionPool


def _norm_pool(call: Call, kind: Literal["norm", "stochastic"], p: float) -> int:
    config = call.config
    height, width = config.sizes("pool_size", 2, 2)
    down, right = config.sizes("strides", 2) if config.raw("strides", None) is not None else (height, width)
    padding = config.choice("padding", ("valid", "same"), "valid")

    def compute(x: int) -> int:
        extents = require_rank(call, x, 3)[:-1]
        rows, columns = window_pads(padding, extents, (height, width), (down, right), (1, 1))
        return call.emit(NormPool(kind, (height, width), (down, right), (rows, columns), p), x)

    return on_channels_last(call, call.x, compute)


@layer("LpPooling2D")
def lp_pooling(call: Call) -> int:
    """The p-norm of each window: (sum of |x|^p)^(1/p)."""
    return _norm_pool(call, "norm", call.config.number("p", 2.0))


@layer("StochasticPooling2D")
def stochastic_pooling(call: Call) -> int:
    """Each window's activations, weighted by their own share of the sum."""
    return _norm_pool(call, "stochastic", 2.0)


def _fractional_pool(call: Call, kind: Literal["max", "mean"]) -> int:
    config = call.config
    ratios = config.numbers("pooling_ratio")
    if len(ratios) == 4:
        ratios = ratios[1:3]
    if len(ratios) not in (1, 2):
        raise config.wrong("pooling_ratio", "a number or two")
    pseudo_random, overlapping = config.flag("pseudo_random", False), config.flag("overlapping", False)
    seed = 0 if config.raw("seed", None) is None else config.integer("seed", low=0)

    def compute(x: int) -> int:
        h, w, _ = require_rank(call, x, 3)
        table(max(h, w))
        rows, columns = fractional_regions(
            (h, w), (ratios[0], ratios[-1]), pseudo_random=pseudo_random, overlapping=overlapping, seed=seed
        )
        return call.emit(RegionPool(kind, rows, columns), x)

    return on_channels_last(call, call.x, compute)


@layer("FractionalMaxPooling2D", ignored=("deterministic",))
def fractional_max_pooling(call: Call) -> int:
    """The maximum of regions whose sizes differ by one, drawn from a seed."""
    return _fractional_pool(call, "max")


@layer("FractionalAveragePooling2D", ignored=("deterministic",))
def fractional_average_pooling(call: Call) -> int:
    """The mean of regions whose sizes differ by one, drawn from a seed."""
    return _fractional_pool(call, "mean")
