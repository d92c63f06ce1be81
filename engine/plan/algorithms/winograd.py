"""3×3 convolutions by Winograd's F(4×4, 3×3)."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.plan.algorithms.panels import pack_bias, pack_panels, whole_vectors
from engine.plan.memory import scratch_row_bytes
from engine.plan.site import Site
from engine.plan.step import Field, Kernel, Step, activation_fields

_G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float64) / 24
_TRANSFORM_FLOATS = 3.0
_PLANES = 36
_SHARES = 4


class ConvWinograd:
    """A quarter of the multiplications, four times the weights, an error about ten times a direct convolution's."""

    name = "conv_winograd"
    inflates = True

    def applies(self, site: Site) -> bool:
        op = site.op
        plain = op.strides == (1, 1) and op.dilation == (1, 1) and op.groups == 1
        return plain and site.operand_shape(1)[:2] == (3, 3) and site.shape[-1] % site.machine.isa.lanes == 0

    def cost(self, site: Site) -> float:
        c, f = site.shape[-1], site.result[-1]
        tiles = prod(site.shape[:-3]) * _tiles(site.result[-3]) * _tiles(site.result[-2])
        flops = 2.0 * _PLANES * tiles * c * f
        transforms = _TRANSFORM_FLOATS * _PLANES * tiles * (c + f)
        return site.nanoseconds(flops, transforms) + site.streaming(_PLANES * c * f * 4)

    def emit(self, site: Site) -> Sequence[Step]:
        op, isa = site.op, site.machine.isa
        *lead, h, wd, c = site.shape
        oh, ow, f = site.result[-3:]
        across, tiles, images = _tiles(ow), _tiles(oh) * _tiles(ow), prod(lead)
        block, columns = self._cut(site, tiles * images)
        inner = -(-f // columns)
        v_row, m_row = scratch_row_bytes(c), scratch_row_bytes(whole_vectors(min(columns, f), isa))
        fields: dict[str, Field] = {
            "x": site.x,
            "w": pack_panels(transform_weights(site.weight(1)), isa),
            "bias": pack_bias(site.bias(2, f), 1, isa),
            "y": site.y,
            "images": images, "h": h, "wd": wd, "c": c, "oh": oh, "ow": ow, "f": f,
            "pt": op.pads[0][0], "pl": op.pads[1][0], "across": across, "tiles": tiles,
            "v_row": v_row, "m_row": m_row, "width": whole_vectors(f, isa), "block": block, "columns": columns,
            "tile": Kernel("tile"),
            **activation_fields(op.activation),
        }  # fmt: skip
        scratch = _PLANES * (block * (v_row + m_row) + c * 4) + isa.lanes * 4
        return [Step(self.name, fields, site.node.layer, tiles * images, block, inner, self.cost(site), scratch)]

    def _cut(self, site: Site, tiles: int) -> tuple[int, int]:
        """Output tiles and channels of a tile of work.

        Blocks of one register tile's height keep scratch in L2; weights too large for it are read for two of them at
        once. Channels are cut only where an image has too few blocks to share.
        """
        isa, c, f = site.machine.isa, site.shape[-1], site.result[-1]
        block = isa.mr
        if tiles < 8 * isa.mr:
            pairs = -(-tiles // (2 * isa.mr))
            block = -(-tiles // pairs // 4) * 2
        if tiles < 3 * isa.mr and _PLANES * c * f * 4 > 4 * site.machine.l2:
            block = 2 * isa.mr
        panels = -(-f // isa.nr)
        parts = -(-panels // max(1, min(panels, panels * -(-tiles // block) // _SHARES)))
        return block, -(-panels // parts) * isa.nr


def transform_weights(w: NDArray[Any]) -> NDArray[np.float64]:
    """(3, 3, c, f) → (36, c, f): G g Gᵀ."""
    rows = (_G @ w.astype(np.float64).reshape(3, -1)).reshape(6, 3, -1)
    planes: NDArray[np.float64] = np.matmul(_G, rows).reshape(_PLANES, *w.shape[2:])
    return planes


def _tiles(extent: int) -> int:
    return -(-extent // 4)
