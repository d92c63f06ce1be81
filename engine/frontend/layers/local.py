"""Convolutions whose weights differ from place to place, and other layers of old files."""

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.frontend.call import Call
from engine.frontend.config import table
from engine.frontend.layers.activation import fused_activation
from engine.frontend.layers.geometry import (
    data_format,
    dimensions,
    on_channels_last,
    require_rank,
    window_pads,
)
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import (
    Activate,
    Activation,
    Binary,
    Dense,
    Gather,
    LocalDense,
    Pair,
    Reduce,
    Reshape,
    Shape,
    window_extent,
)

MAX_PAIRS, MAX_TAPS = 1 << 26, 1 << 20


class Places:
    """Which input elements each place of a local convolution reads."""

    def __init__(self, call: Call, extents: Shape) -> None:
        config, rank = call.config, len(extents)
        self.extents = extents
        self.kernel = config.sizes("kernel_size", rank)
        self.strides = config.sizes("strides", rank, 1)
        padding = config.choice("padding", ("valid", "same"), "valid")
        self.pads: tuple[Pair, ...] = window_pads(padding, extents, self.kernel, self.strides, (1,) * rank)
        axes = zip(extents, self.kernel, self.strides, self.pads, strict=True)
        self.result: Shape = tuple(window_extent(n, k, s, pads) for n, k, s, pads in axes)

    def read(self, place: Sequence[int]) -> list[int]:
        """The flat indexes of the elements that one place reads."""
        firsts = [i * s - before for i, s, (before, _) in zip(place, self.strides, self.pads, strict=True)]
        spans = [
            range(max(first, 0), min(first + k, n))
            for first, k, n in zip(firsts, self.kernel, self.extents, strict=True)
        ]
        found = [0]
        for span, n in zip(spans, self.extents, strict=True):
            found = [before * n + i for before in found for i in span]
        return found

    def connected(self) -> NDArray[np.bool_]:
        """(places of the result, elements of the input)."""
        table(prod(self.result) * prod(self.extents), MAX_PAIRS)
        mask = np.zeros((prod(self.result), prod(self.extents)), bool)
        for i, place in enumerate(product(*map(range, self.result))):
            mask[i, self.read(place)] = True
        return mask


@layer("LocallyConnected1D", "LocallyConnected2D")
def locally_connected(call: Call) -> int:
    """A convolution with weights of its own for each place."""
    config, rank = call.config, dimensions(call)
    shape = require_rank(call, call.x, rank + 1)
    first = data_format(call) == "channels_first"
    c, extents = (shape[0], shape[1:]) if first else (shape[-1], shape[:-1])
    places, filters = Places(call, extents), config.integer("filters")
    implementation = config.integer("implementation", 1, high=3)
    compute = _by_patches if implementation == 1 else _by_matrix
    y = compute(call, places, c, filters, first, implementation)
    if config.flag("use_bias", True):
        y = call.emit(Binary("add"), y, _bias(call, (*places.result, filters), call.shape(y)))
    return fused_activation(call, y)


def _bias(call: Call, saved: Shape, shape: Shape) -> Weight:
    """Keras reads the numbers of a bias (places, f) as (f, places) where channels come first, without moving them."""
    bias = call.weight("bias", saved)
    return call.derive("bias_as_read", shape, lambda: bias.read().reshape(shape))


def _by_patches(call: Call, places: Places, c: int, filters: int, first: bool, implementation: int) -> int:
    """Patches times kernels (places, taps·c, f); channels come before taps where the data format is so."""
    count, taps = prod(places.result), prod(places.kernel)
    saved = call.weight("kernel", (count, taps * c, filters))
    kernel = saved
    if first:

        def read() -> NDArray[Any]:
            return saved.read().reshape(count, c, taps, filters).swapaxes(1, 2).reshape(saved.shape)

        kernel = call.derive("kernel_last", saved.shape, read)

    def compute(x: int) -> int:
        table(count * taps, MAX_TAPS)
        indexes = [i for place in product(*map(range, places.result)) for i in places.read(place)]
        x = call.emit(Reshape((prod(places.extents), c)), x)
        x = call.emit(Reshape((count, taps * c)), call.emit(Gather(-2, tuple(indexes)), x))
        return call.emit(Reshape((*places.result, filters)), call.emit(LocalDense(), x, kernel))

    return on_channels_last(call, call.x, compute)


def _by_matrix(call: Call, places: Places, c: int, filters: int, first: bool, implementation: int) -> int:
    """One matrix for everything, saved whole (2) or as the entries that count, by rows of results (3)."""
    before, after = ((c, *places.extents), (filters, *places.result)) if first else (
        (*places.extents, c), (*places.result, filters))  # fmt: skip
    connected = places.connected()[None, :, None, :] if first else places.connected()[:, None, :, None]
    wide = (filters, prod(places.result), c, prod(places.extents))
    wide = wide if first else (wide[1], wide[0], wide[3], wide[2])
    table(prod(after) * prod(before), MAX_PAIRS)
    mask = np.broadcast_to(connected, wide).reshape(prod(after), prod(before))
    saved = call.weight("kernel", (*before, *after) if implementation == 2 else (int(mask.sum()),))

    def read() -> NDArray[Any]:
        values = saved.read()
        if implementation == 2:
            return values.reshape(mask.T.shape) * mask.T
        matrix = np.zeros(mask.shape, values.dtype)
        matrix[mask] = values
        return matrix.T

    matrix = call.derive("matrix", mask.T.shape, read)
    y = call.emit(Dense(), call.emit(Reshape((prod(before),)), call.x), matrix)
    return call.emit(Reshape(after), y)


@layer("MaxoutDense")
def maxout_dense(call: Call) -> int:
    """The largest of several dense layers."""
    config, (size,) = call.config, require_rank(call, call.x, 1)
    key = "units" if "units" in config.values else "output_dim"
    units, count = config.integer(key), config.integer("nb_feature", 4)
    saved = call.weight("W", (count, size, units))
    w = call.derive("kernel", (size, count * units), lambda: saved.read().swapaxes(0, 1).reshape(size, count * units))
    y = call.emit(Dense(), call.x, w, *_flat_bias(call, (count, units)))
    return call.emit(Reduce("max", (-2,)), call.emit(Reshape((count, units)), y))


def _flat_bias(call: Call, shape: Shape) -> tuple[Weight, ...]:
    if not _with_bias(call):
        return ()
    saved = call.weight("b", shape)
    return (call.derive("bias", (prod(shape),), lambda: saved.read().reshape(-1)),)


def _with_bias(call: Call) -> bool:
    return call.config.flag("use_bias" if "use_bias" in call.config.values else "bias", True)


@layer("Highway", ignored=("transform_bias",))
def highway(call: Call) -> int:
    """A dense layer and its input, mixed by the sigmoid of another dense layer."""
    (size,) = require_rank(call, call.x, 1)
    names = ("W", "W_carry", "b", "b_carry") if _with_bias(call) else ("W", "W_carry")
    weights = {name: call.weight(name, (size, size) if name[0] == "W" else (size,)) for name in names}

    def product_with(*chosen: str) -> int:
        return call.emit(Dense(), call.x, *(weights[name] for name in chosen if name in weights))

    share = call.emit(Activate(Activation("sigmoid")), product_with("W_carry", "b_carry"))
    changed = fused_activation(call, product_with("W", "b"))
    difference = call.emit(Binary("sub"), changed, call.x)
    return call.emit(Binary("add"), call.x, call.emit(Binary("mul"), share, difference))
