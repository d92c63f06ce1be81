"""Depthwise convolutions."""

from collections.abc import Sequence
from math import prod

from engine.ir.ops import DepthwiseConv
from engine.plan.algorithms.conv import patch_row_bytes, window_fields
from engine.plan.memory import aligned
from engine.plan.site import Site, Table, aligned_array
from engine.plan.step import Field, Kernel, Step, activation_fields

_TILE_FLOATS = 16384


class DepthwiseDirect:
    """Sums of several neighbouring pixels at once, on the image or on a padded copy of a few rows."""

    name = "depthwise_direct"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        kh, kw = site.operand_shape(1)[:2]
        floats = prod(site.result)
        return site.nanoseconds(2.0 * floats * kh * kw, floats * (2 + kh * kw / 16))

    def emit(self, site: Site) -> Sequence[Step]:
        op = site.op
        oh, ow, channels = site.result[-3:]
        kh, kw, c, m = site.operand_shape(1)
        patch_row = patch_row_bytes(ow, op.strides[1], kw, op.dilation[1], channels) if m > 1 else 0
        span = (kh - 1) * op.dilation[0] + 1
        rows = min(oh, max(1, _TILE_FLOATS // (ow * channels)))
        blocks = -(-oh // rows)
        weights, bias = aligned_array((kh * kw, channels)), aligned_array((channels,))
        weights[:] = site.weight(1).transpose(1, 0, 2, 3).reshape(kw * kh, channels)
        bias[:] = site.bias(2, channels)
        fields: dict[str, Field] = {
            "x": site.x,
            "w": weights,
            "bias": bias,
            "y": site.y,
            **window_fields(site, kh, kw),
            "c": c,
            "m": m,
            "patch": Kernel("patch"),
            "patch_row": patch_row,
            "rows": rows,
            "row_blocks": blocks,
            **activation_fields(op.activation),
        }
        reach = (kw - 1) * op.dilation[1] + 1
        copies = patch_row * ((rows - 1) * op.strides[0] + span) or (site.shape[-2] + kh * reach) * c * 4
        scratch = aligned(8 * kh) + copies
        images = prod(site.shape[:-3])
        return [Step(self.name, fields, site.node.layer, images * blocks, 1, 1, self.cost(site), scratch)]


ALGORITHMS: Table = {DepthwiseConv: (DepthwiseDirect(),)}
