"""Contrast limited adaptive histogram equalization, by NumPy between native runs."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.frontend.call import Call
from engine.frontend.layers.geometry import on_channels_last, require_rank
from engine.frontend.registry import layer
from engine.ir.ops import Pair

Array = NDArray[Any]
LEVELS = 256


@layer("ContrastLimitedAdaptiveHistogramEqualization")
def contrast_limited_equalization(call: Call) -> int:
    """Brightness spread evenly in each tile of an image, with a limit, and interpolated between tiles."""
    low, high = call.config.numbers("value_range") if "value_range" in call.config.values else (0.0, 255.0)
    limit, grid = call.config.number("clip_limit", 4.0), call.config.sizes("tile_grid_size", 2, 8)
    equalize = partial(equalized, span=(low, high), limit=limit, grid=(grid[0], grid[1]))

    def compute(x: int) -> int:
        return call.host(equalize, require_rank(call, x, 3), x)

    return on_channels_last(call, call.x, compute)


def equalized(images: Array, span: tuple[float, float], limit: float, grid: Pair) -> Array:
    """Images (n, h, w, c) whose values lie in `span`."""
    low, high = np.float32(span[0]), np.float32(span[1])
    values = (images - low) / (high - low) * np.float32(LEVELS - 1)
    n, h, w, c = values.shape
    th, tw = -(-h // grid[0]), -(-w // grid[1])
    whole = np.pad(values, ((0, 0), (0, th * grid[0] - h), (0, tw * grid[1] - w), (0, 0)), mode="symmetric")
    levels = np.clip(whole, 0, LEVELS - 1).astype(np.int64)
    curves = np.pad(_curves(levels, (th, tw), grid, limit), ((0, 0), (1, 1), (1, 1), (0, 0), (0, 0)), mode="edge")
    y0, wy = _between(h, th, grid[0])
    x0, wx = _between(w, tw, grid[1])
    wy, wx = wy[:, None, None], wx[:, None]
    at = np.arange(n)[:, None, None, None], np.arange(c), levels[:, :h, :w]

    def taken(dy: int, dx: int) -> Array:
        rows = np.minimum(y0 + dy, grid[0] + 1)[:, None, None]
        columns = np.minimum(x0 + dx, grid[1] + 1)[:, None]
        found: Array = curves[at[0], rows, columns, at[1], at[2]]
        return found

    above = taken(0, 0) * (1 - wx) + taken(0, 1) * wx
    below = taken(1, 0) * (1 - wx) + taken(1, 1) * wx
    result: Array = (above * (1 - wy) + below * wy) / np.float32(LEVELS - 1) * (high - low) + low
    return result


def _curves(levels: Array, tile: Pair, grid: Pair, limit: float) -> Array:
    """(n, gh, gw, c, 256): what each brightness becomes in each tile."""
    n, *_, c = levels.shape
    tiles = levels.reshape(n, grid[0], tile[0], grid[1], tile[1], c).transpose(0, 1, 3, 5, 2, 4)
    rows = tiles.reshape(-1, tile[0] * tile[1])
    places = rows + LEVELS * np.arange(len(rows))[:, None]
    counts = np.bincount(places.reshape(-1), minlength=len(rows) * LEVELS).reshape(-1, LEVELS).astype(np.float32)
    if limit > 0:
        clipped = np.minimum(counts, np.float32(limit * rows.shape[1] / LEVELS))
        counts = clipped + (counts - clipped).sum(-1, keepdims=True) / np.float32(LEVELS)
    sums = np.cumsum(counts, -1)
    least = sums.min(-1, keepdims=True)
    span = rows.shape[1] - least
    curves = (sums - least) * np.float32(LEVELS - 1) / np.where(span == 0, np.float32(1), span)
    clear: Array = np.clip(curves, 0, LEVELS - 1).reshape(n, *grid, c, LEVELS)
    return clear


def _between(size: int, tile: int, count: int) -> tuple[Array, Array]:
    """For each pixel the tile before it, in a grid with one more at either end, and its distance from that one."""
    at = (np.arange(size, dtype=np.float32) - np.float32(tile / 2)) / np.float32(tile) + np.float32(1)
    first = np.floor(at)
    return np.clip(first, 0, count + 1).astype(np.int64), at - first
