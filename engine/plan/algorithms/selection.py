"""Operations that pick elements by position."""

from collections.abc import Sequence
from math import prod

import numpy as np

from engine.ir.ops import Gather, Slice
from engine.plan.algorithms.axes import join_axes
from engine.plan.algorithms.elementwise import Simple
from engine.plan.site import Site, Table
from engine.plan.step import Field, Step

_BLOCK = 4096


class SliceStrided(Simple):
    name = "slice"

    def applies(self, site: Site) -> bool:
        return len(self._walk(site)[0]) <= 6

    def emit(self, site: Site) -> Sequence[Step]:
        axes, steps = self._walk(site)
        lead = 6 - len(axes)
        offset = sum(b * s for b, s in zip(site.op.begin, _steps(site), strict=True))
        rows = prod(axes[:-1])
        block = min(site.share(rows, self.cost(site)), max(1, _BLOCK // axes[-1]))
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "x_n": prod(site.shape) * 4, "offset": offset, "block": block,
        }  # fmt: skip
        fields |= {f"d{i}": d for i, d in enumerate([1] * lead + axes)}
        fields |= {f"s{i}": s for i, s in enumerate([0] * lead + steps)}
        return [Step(self.name, fields, site.node.layer, rows, block, work=self.cost(site))]

    def _walk(self, site: Site) -> tuple[list[int], list[int]]:
        steps = [step * size for step, size in zip(site.op.step, _steps(site), strict=True)]
        axes, (walk,) = join_axes(site.op.count or (1,), steps or [4])
        return axes, walk


def _steps(site: Site) -> list[int]:
    """Bytes from one element of the operand to the next, along each axis."""
    return [prod(site.shape[i + 1 :]) * 4 for i in range(len(site.shape))]


class GatherRows(Simple):
    name = "gather"

    def emit(self, site: Site) -> Sequence[Step]:
        axis, indexes = site.op.axis, np.array(site.op.indexes, np.int64)
        outer, inner = prod(site.shape[:axis]), prod(site.result[axis:]) // len(indexes)
        block = max(1, _BLOCK // inner)
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "indexes": indexes, "outer": outer, "extent": site.shape[axis],
            "count": len(indexes), "inner": inner, "block": block,
        }  # fmt: skip
        return [Step(self.name, fields, site.node.layer, outer * len(indexes), block, work=self.cost(site))]


ALGORITHMS: Table = {Slice: (SliceStrided(),), Gather: (GatherRows(),)}
