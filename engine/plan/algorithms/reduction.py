"""Operations that look at whole axes, and those that sum a few neighbours along one."""

from collections.abc import Sequence
from math import prod

import numpy as np

from engine.ir.ops import Normalize, Reduce, Resample, Shape
from engine.plan.algorithms.elementwise import Simple
from engine.plan.site import Site, Table, aligned_array
from engine.plan.step import Field, Step, float_bits

_BLOCK = 4096


class ReduceStrided(Simple):
    """Results or cells in vectors, whichever the last axis holds."""

    name = "reduce"

    def applies(self, site: Site) -> bool:
        kept, reduced = _runs(site.shape, site.op.axes)
        return len(kept) <= 4 and len(reduced) <= 4

    def cost(self, site: Site) -> float:
        return site.nanoseconds(0, prod(site.shape))

    def emit(self, site: Site) -> Sequence[Step]:
        kept, reduced = _runs(site.shape, site.op.axes)
        (inner, _), (tail, _) = kept.pop(), reduced.pop()
        rows = prod(extent for extent, _ in kept)
        block = max(1, _BLOCK * rows // prod(site.shape))
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "x_n": prod(site.shape) * 4, "block": block, "inner": inner, "tail": tail,
        }  # fmt: skip
        for extent_name, step_name, runs in (("d", "s", kept), ("r", "q", reduced)):
            for i, (extent, step) in enumerate([(1, 0)] * (3 - len(runs)) + runs):
                fields |= {f"{extent_name}{i}": extent, f"{step_name}{i}": step}
        return [Step(f"{self.name}/{site.op.kind}", fields, site.node.layer, rows, block, work=self.cost(site))]


def _runs(shape: Shape, axes: Shape) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The axes that stay and those that go, neighbours joined, as (extent, step in bytes).

    The last of each list is a run of neighbours; of one element where the array's last axis is of the other list.
    """
    runs: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    last = None
    for i, extent in enumerate(shape):
        goes = i - len(shape) in axes
        if extent == 1 and i < len(shape) - 1:
            continue
        step = prod(shape[i + 1 :]) * 4
        if goes == last:
            extent *= runs[goes].pop()[0]  # noqa: PLW2901
        runs[goes].append((extent, step))
        last = goes
    runs[not last].append((1, 4))
    return runs


class NormalizeRows(Simple):
    """A row is read into L1 once."""

    name = "normalize"

    def cost(self, site: Site) -> float:
        return site.nanoseconds(8.0 * prod(site.result), 4.0 * prod(site.result))

    def emit(self, site: Site) -> Sequence[Step]:
        c = site.shape[-1]
        scale, shift = aligned_array((c,)), aligned_array((c,))
        scale[:], shift[:] = site.weight(1), site.weight(2)
        rows, block = prod(site.shape[:-1]), max(1, _BLOCK // c)
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "scale": scale, "shift": shift, "epsilon": float_bits(site.op.epsilon),
            "rows": rows, "c": c, "block": block,
        }  # fmt: skip
        variant = "centered" if site.op.centered else "rms"
        return [Step(f"{self.name}/{variant}", fields, site.node.layer, rows, block, work=self.cost(site))]


class ResampleTaps(Simple):
    """Runs of neighbours behind the axis in vectors."""

    name = "resample"

    def cost(self, site: Site) -> float:
        return site.nanoseconds(0, prod(site.result) * (1.0 + site.operand_shape(1)[1]))

    def emit(self, site: Site) -> Sequence[Step]:
        axis, starts = site.op.axis, np.array(site.op.starts, np.int64)
        taps = site.operand_shape(1)[1]
        weights = aligned_array((len(starts), taps))
        weights[:] = site.weight(1)
        outer, inner = prod(site.shape[:axis]), prod(site.result[axis:]) // len(starts)
        block = max(1, _BLOCK // (inner * taps))
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "w": weights, "starts": starts, "taps": taps, "outer": outer,
            "extent": site.shape[axis], "count": len(starts), "inner": inner, "block": block,
        }  # fmt: skip
        return [Step(self.name, fields, site.node.layer, outer * len(starts), block, work=self.cost(site))]


ALGORITHMS: Table = {Reduce: (ReduceStrided(),), Normalize: (NormalizeRows(),), Resample: (ResampleTaps(),)}
