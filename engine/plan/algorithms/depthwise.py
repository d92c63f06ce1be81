"""Depthwise convolutions."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ir.ops import DepthwiseConv
from engine.plan.algorithms.conv import window_fields
from engine.plan.memory import aligned, scratch_row_bytes
from engine.plan.site import Site, Table, aligned_array
from engine.plan.step import Field, Step, activation_fields

_FIXED = frozenset({(3, 1), (3, 2), (5, 1), (5, 2), (7, 1)})
_TILE_FLOATS = 16384
_SPARSE = 8


class DepthwiseDirect:
    """Sums of several neighbouring pixels at once, on the image or on a padded copy of what a tile reads."""

    name = "depthwise_direct"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        kh, kw = site.operand_shape(1)[:2]
        floats = prod(site.result)
        return site.nanoseconds(2.0 * floats * kh * kw, floats * (2 + kh * kw / 16))

    def emit(self, site: Site) -> Sequence[Step]:
        op, isa = site.op, site.machine.isa
        oh, ow, channels = site.result[-3:]
        kh, kw, c, m = site.operand_shape(1)
        across = (ow - 1) * op.strides[1] + (kw - 1) * op.dilation[1] + 1
        down = (kh - 1) * op.dilation[0] + 1
        copies = m > 1 or self._border(site) * _SPARSE > ow
        rows, columns = self._cut(site, across, copies)
        blocks, inner = -(-oh // rows), -(-channels // columns)
        patch_row = scratch_row_bytes(across * columns) if copies else 0
        fields: dict[str, Field] = {
            "x": site.x,
            "w": pack_channels(site.weight(1).reshape(kh * kw, channels), isa.lanes),
            "bias": pack_channels(site.bias(2, channels).reshape(1, channels), isa.lanes),
            "y": site.y,
            **window_fields(site, kh, kw),
            "c": c,
            "m": m,
            "patch_row": patch_row,
            "rows": rows,
            "row_blocks": blocks,
            "columns": columns,
            "inner": inner,
            **activation_fields(op.activation),
        }
        fixed = op.dilation[1] == 1 and (kw, op.strides[1]) in _FIXED
        kernel = f"{self.name}/{kw}x{op.strides[1]}" if fixed else self.name
        scratch = (patch_row or across * columns * 4) * ((rows - 1) * op.strides[0] + down if copies else down)
        images = prod(site.shape[:-3])
        return [Step(kernel, fields, site.node.layer, images * blocks, 1, inner, self.cost(site), aligned(scratch))]

    def _border(self, site: Site) -> int:
        """Output pixels of a row whose windows reach over its ends."""
        op: DepthwiseConv = site.op
        return sum(-(-pad // op.strides[1]) for pad in op.pads[1])

    def _cut(self, site: Site, across: int, copies: bool) -> tuple[int, int]:
        """Output rows and channels of a tile of work; a copy of some vectors of channels nearly fits L1.

        Copied images are cut in an even number of row blocks: threads that share a pixel's channels fetch each
        other's cache lines.
        """
        op, machine = site.op, site.machine
        oh, ow, channels = site.result[-3:]
        rows = site.share(oh, self.cost(site))
        if not copies:
            return min(rows, max(1, _TILE_FLOATS // (ow * channels))), channels
        kh, _, _, m = site.operand_shape(1)
        down = (kh - 1) * op.dilation[0] + 1
        if rows < oh:
            rows = -(-oh // (2 * max(1, min(-(-oh // rows), oh // max(kh, 4)) // 2)))
        columns = channels
        if m == 1:
            lanes = machine.isa.lanes
            near = 3 * machine.l1 // 8 // (across * ((rows - 1) * op.strides[0] + down)) // lanes
            columns = min(channels, lanes * max(near, 4 if channels >= 16 * lanes else 2))
        fitting = (machine.l2 // 4 // (across * columns * 4) - down) // op.strides[0] + 1
        return max(1, min(fitting, rows)), columns


def pack_channels(w: NDArray[Any], lanes: int) -> NDArray[np.float32]:
    """(taps, channels) → whole vectors of channels, the taps of each one after another."""
    taps, channels = w.shape
    vectors = -(-channels // lanes)
    padded = np.zeros((taps, vectors * lanes), np.float32)
    padded[:, :channels] = w
    packed = aligned_array((vectors, taps, lanes))
    packed[:] = padded.reshape(taps, vectors, lanes).transpose(1, 0, 2)
    return packed


ALGORITHMS: Table = {DepthwiseConv: (DepthwiseDirect(),)}
