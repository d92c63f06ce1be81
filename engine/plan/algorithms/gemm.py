"""Matrix products: dense layers, and pointwise convolutions whose pixels are the rows."""

from collections.abc import Sequence
from math import prod

from engine.ir.ops import NO_PADS, Dense
from engine.kernels.isa import WIDE
from engine.plan.algorithms.panels import cut_columns, pack_bias, pack_panels
from engine.plan.memory import aligned
from engine.plan.site import Site, Table
from engine.plan.step import Field, Kernel, Step, activation_fields

ROWS, _COLLIDING = 56, 2048


class Gemm:
    """Rows of the input times the weights, panel by panel."""

    def __init__(self, name: str) -> None:
        self.name = name

    def applies(self, site: Site) -> bool:
        op = site.op
        if self.name == "dense_gemm":
            return True
        plain = op.strides == (1, 1) and op.pads == NO_PADS and op.groups == 1
        return plain and site.operand_shape(1)[:2] == (1, 1)

    def cost(self, site: Site) -> float:
        *_, k, f = site.operand_shape(1)
        m = prod(site.shape[:-1])
        return site.nanoseconds(2.0 * m * k * f, k * f)

    def emit(self, site: Site) -> Sequence[Step]:
        *_, k, f = site.operand_shape(1)
        isa, m = site.machine.isa, prod(site.shape[:-1])
        most = ROWS // isa.mr * isa.mr
        block = min(most, m) if m > 1 else most
        if m > 1 and k * f * 4 <= site.machine.l2 // 4:
            block = min(block, -(-site.share(m, self.cost(site)) // isa.mr) * isa.mr)
        x_row = k * 4 + (64 if k * 4 % _COLLIDING == 0 else 0)
        columns = cut_columns(k, f, -(-m // block), site.machine, WIDE if m == 1 else 1)
        piece = max(site.machine.l2 // 4 // (isa.nr * 4), 256)
        fields: dict[str, Field] = {
            "x": site.x,
            "w": pack_panels(site.weight(1).reshape(1, k, f), isa),
            "bias": pack_bias(site.bias(2, f), 1, isa),
            "y": site.y,
            "m": m,
            "k": k,
            "f": f,
            "x_row": x_row,
            "kc": min(k, piece) or 1,
            "block": block,
            "columns": columns,
            "inner": -(-f // columns),
            "tile": Kernel("tile"),
            **activation_fields(site.op.activation),
        }
        scratch = block * x_row if x_row > k * 4 else 0
        return [Step("gemm", fields, site.node.layer, m, block, -(-f // columns), self.cost(site), aligned(scratch))]


POINTWISE = Gemm("conv_pointwise")
ALGORITHMS: Table = {Dense: (Gemm("dense_gemm"),)}
