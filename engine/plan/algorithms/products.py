"""Products of two values."""

from collections.abc import Sequence
from math import prod

from engine.ir.ops import MatMul
from engine.plan.algorithms.panels import whole_vectors
from engine.plan.site import Site, Table
from engine.plan.step import Field, Kernel, Step, float_bits

_BLOCK = 56


class MatMulPacked:
    """The second matrix is packed for the register tile, once for each block of rows."""

    name = "matmul"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        *lead, m, k = site.shape
        f = site.result[-1]
        blocks = -(-m // _BLOCK)
        return prod(lead) * site.nanoseconds(2.0 * m * k * f, (m + 4 * f * blocks) * k + m * f)

    def emit(self, site: Site) -> Sequence[Step]:
        *lead, m, k = site.shape
        f, blocks = site.result[-1], -(-m // _BLOCK)
        fields: dict[str, Field] = {
            "a": site.x, "b": site.value(1), "y": site.y, "m": m, "k": k, "f": f, "transposed": site.op.transposed,
            "scale": float_bits(site.op.scale), "block": _BLOCK, "row_blocks": blocks, "tile": Kernel("tile"),
        }  # fmt: skip
        scratch = k * whole_vectors(f, site.machine.isa) * 4
        return [Step(self.name, fields, site.node.layer, prod(lead) * blocks, work=self.cost(site), scratch=scratch)]


ALGORITHMS: Table = {MatMul: (MatMulPacked(),)}
