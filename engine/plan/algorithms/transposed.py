"""Transposed convolutions that the passes have left as they are."""

from collections.abc import Sequence
from math import prod

from engine.ir.ops import ConvTranspose
from engine.plan.site import Site, Table, aligned_array
from engine.plan.step import Field, Step, call_fields


class ConvTransposeDirect:
    """Result by result; `expand_conv_transpose` makes a faster convolution of it."""

    name = "conv_transpose"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        kh, kw, c, f = site.operand_shape(1)
        return 4.0 * site.nanoseconds(2.0 * prod(site.shape) * kh * kw * f, kh * kw * c * f)

    def emit(self, site: Site) -> Sequence[Step]:
        op, (kh, kw, c, f) = site.op, site.operand_shape(1)
        weights, bias = aligned_array((kh, kw, c, f)), aligned_array((f,))
        weights[:], bias[:] = site.weight(1), site.bias(2, f)
        fields: dict[str, Field] = {
            "x": site.x, "w": weights, "bias": bias, "y": site.y, "h": site.shape[-3], "wd": site.shape[-2], "c": c,
            "oh": op.extent[0], "ow": op.extent[1], "f": f, "kh": kh, "kw": kw, "sh": op.strides[0],
            "sw": op.strides[1], "dh": op.dilation[0], "dw": op.dilation[1], "top": op.begin[0], "left": op.begin[1],
            **call_fields(op.activation),
        }  # fmt: skip
        return [Step(self.name, fields, site.node.layer, prod(site.result[:-2]), work=self.cost(site))]


ALGORITHMS: Table = {ConvTranspose: (ConvTransposeDirect(),)}
