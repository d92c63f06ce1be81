"""Convolutions."""

from collections.abc import Sequence
from math import prod

from engine.ir.ops import NO_PADS, Conv
from engine.plan.algorithms.gemm import POINTWISE, ROWS
from engine.plan.algorithms.panels import cut_columns, pack_bias, pack_panels
from engine.plan.algorithms.winograd import ConvWinograd
from engine.plan.memory import aligned
from engine.plan.site import Site, Table
from engine.plan.step import Field, Kernel, Step, activation_fields

_TILE_FLOPS = 4e6


class ConvDirect:
    """Kernel rows as the segments of the register tile, on the image or on a padded copy of a few rows."""

    name = "conv_direct"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        kh, kw, per_group, _ = site.operand_shape(1)
        k = kh * kw * per_group
        flops = 2.0 * prod(site.result) * k
        return site.nanoseconds(flops, prod(site.shape)) + site.streaming(4.0 * k * site.result[-1])

    def emit(self, site: Site) -> Sequence[Step]:
        op, isa = site.op, site.machine.isa
        *lead, _, _, c = site.shape
        oh, ow, f = site.result[-3:]
        kh, kw, per_group, _ = site.operand_shape(1)
        k, images = kh * kw * per_group, prod(lead)
        patch_row = patch_row_bytes(ow, op.strides[1], kw, op.dilation[1], c) if op.pads != NO_PADS else 0
        span = (kh - 1) * op.dilation[0] + 1
        rows = self._rows(site, patch_row, span, 2.0 * ow * f * k)
        blocks = -(-oh // rows)
        columns = f
        if op.groups == 1:
            columns = min(f, cut_columns(k, f, max(blocks, 1), site.machine))
        weights = site.weight(1).reshape(k, op.groups, f // op.groups).transpose(1, 0, 2)
        fields: dict[str, Field] = {
            "x": site.x,
            "w": pack_panels(weights, isa),
            "bias": pack_bias(site.bias(2, f), op.groups, isa),
            "y": site.y,
            **window_fields(site, kh, kw),
            "c": c,
            "f": f,
            "images": images,
            "groups": op.groups,
            "patch": Kernel("patch"),
            "patch_row": patch_row,
            "rows": rows,
            "row_blocks": blocks,
            "columns": columns,
            "inner": -(-f // columns),
            "piece": kh if k * isa.nr * 4 <= site.machine.l2 // 4 else 1,
            "tile": Kernel("tile"),
            **activation_fields(op.activation),
        }
        scratch = patch_row * ((rows - 1) * op.strides[0] + span)
        inner = -(-f // columns)
        return [Step(self.name, fields, site.node.layer, images * blocks, 1, inner, self.cost(site), scratch)]

    def _rows(self, site: Site, patch_row: int, span: int, row_flops: float) -> int:
        """Output rows of a tile: enough work to be worth a claim, a patch that leaves L2 room for weights.

        Weights that do not fit L2 are read once a tile, for as many pixels as a matrix product takes rows.
        """
        oh, ow = site.result[-3:-1]
        wanted = min(max(1, round(_TILE_FLOPS / row_flops), -(-oh // 64)), site.share(oh, self.cost(site)))
        if prod(site.operand_shape(1)) * 4 > site.machine.l2 // 2:
            wanted = -(-ROWS // ow)
        if patch_row:
            wanted = min(wanted, max(1, (site.machine.l2 // 4 // patch_row - span) // site.op.strides[0] + 1))
        blocks = -(-oh // min(oh, wanted))
        return -(-oh // blocks)


def patch_row_bytes(ow: int, stride: int, kw: int, dilation: int, c: int) -> int:
    """Bytes of a padded row: what the windows of `ow` pixels read, off the strides that collide in L1."""
    size = aligned(((ow - 1) * stride + (kw - 1) * dilation + 1) * c * 4)
    return size + 64 if size % 1024 == 0 else size


def window_fields(site: Site, kh: int, kw: int) -> dict[str, int]:
    """The fields that all kernels with strided, padded, dilated windows share."""
    op = site.op
    h, wd = site.shape[-3:-1]
    oh, ow = site.result[-3:-1]
    return {
        "h": h, "wd": wd, "oh": oh, "ow": ow, "kh": kh, "kw": kw,
        "sh": op.strides[0], "sw": op.strides[1], "dh": op.dilation[0], "dw": op.dilation[1],
        "pt": op.pads[0][0], "pl": op.pads[1][0],
    }  # fmt: skip


ALGORITHMS: Table = {Conv: (POINTWISE, ConvDirect(), ConvWinograd())}
