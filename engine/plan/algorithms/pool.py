"""Pools over windows and over whole images."""

from collections.abc import Sequence
from math import prod

import numpy as np

from engine.ir.ops import GlobalPool, NormPool, Pool, RegionPool
from engine.plan.site import Site, Table
from engine.plan.step import Field, Step, float_bits

_TILE_FLOATS = 16384


class PoolWindow:
    """A vector of channels at a time, window by window. The norms of windows have a kernel of their own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        return site.nanoseconds(0, prod(site.result) * (1 + prod(site.op.window)))

    def emit(self, site: Site) -> Sequence[Step]:
        op = site.op
        *lead, h, wd, c = site.shape
        oh, ow = site.result[-3:-1]
        rows = min(site.share(oh, self.cost(site)), max(1, _TILE_FLOATS // (ow * c * op.strides[0] * op.strides[1])))
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "h": h, "wd": wd, "c": c, "oh": oh, "ow": ow,
            "kh": op.window[0], "kw": op.window[1], "sh": op.strides[0], "sw": op.strides[1],
            "pt": op.pads[0][0], "pl": op.pads[1][0], "rows": rows, "row_blocks": -(-oh // rows),
        }  # fmt: skip
        kind = op.kind
        if isinstance(op, NormPool):
            fields["p"] = float_bits(op.p)
            kind = "euclid" if (op.kind, op.p) == ("norm", 2.0) else op.kind
        units = prod(lead) * -(-oh // rows)
        return [Step(f"{self.name}/{kind}", fields, site.node.layer, units, work=self.cost(site))]


class PoolGlobal:
    """All pixels of an image, a vector of channels a tile."""

    name = "pool_global"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        return site.nanoseconds(0, prod(site.shape) * 0.5)

    def emit(self, site: Site) -> Sequence[Step]:
        *lead, h, wd, c = site.shape
        fields: dict[str, Field] = {"x": site.x, "y": site.y, "pixels": h * wd, "c": c}
        units = prod(lead) * -(-c // site.machine.isa.lanes)
        return [Step(f"{self.name}/{site.op.kind}", fields, site.node.layer, units, work=self.cost(site))]


class PoolRegion:
    """Intervals of rows and columns from tables."""

    name = "pool_region"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        return site.nanoseconds(0, prod(site.shape) + prod(site.result))

    def emit(self, site: Site) -> Sequence[Step]:
        *lead, h, wd, c = site.shape
        oh, ow = site.result[-3:-1]
        tables = [np.array(regions, np.int64) for regions in (site.op.rows, site.op.columns)]
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "h": h, "wd": wd, "c": c, "oh": oh, "ow": ow,
            "row_ends": tables[0], "column_ends": tables[1],
        }  # fmt: skip
        units = prod(lead) * oh
        return [Step(f"{self.name}/{site.op.kind}", fields, site.node.layer, units, work=self.cost(site))]


ALGORITHMS: Table = {
    Pool: (PoolWindow("pool_window"),),
    NormPool: (PoolWindow("pool_norm"),),
    GlobalPool: (PoolGlobal(),),
    RegionPool: (PoolRegion(),),
}
