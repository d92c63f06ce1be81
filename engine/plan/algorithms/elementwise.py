"""Operations that take numbers one by one, row by row, or only move them."""

from collections.abc import Sequence
from math import gcd, lcm, prod

import numpy as np

from engine.ir.graph import Weight
from engine.ir.ops import Activate, Binary, Concat, Pad, ScaleShift, Select, Shape, Softmax, Transpose
from engine.plan.algorithms.axes import join_axes
from engine.plan.site import Site, Table, aligned_array
from engine.plan.step import Field, Kernel, Step, call_fields

_BLOCK = 4096


class Simple:
    """What all of these share: one legal way, a cost that counts the numbers moved."""

    name = ""

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        return site.nanoseconds(0, 2.0 * prod(site.result))


class MapBlocks(Simple):
    name = "map"

    def cost(self, site: Site) -> float:
        return site.nanoseconds(40.0 * prod(site.result), 2.0 * prod(site.result))

    def emit(self, site: Site) -> Sequence[Step]:
        size = prod(site.shape)
        fields: dict[str, Field] = {
            "x": site.x,
            "y": site.y,
            "size": size,
            "block": _BLOCK,
            **call_fields(site.op.activation),
        }
        return [Step(self.name, fields, site.node.layer, size, _BLOCK, work=self.cost(site))]


class SoftmaxRows(Simple):
    name = "softmax"

    def cost(self, site: Site) -> float:
        return site.nanoseconds(40.0 * prod(site.result), 4.0 * prod(site.result))

    def emit(self, site: Site) -> Sequence[Step]:
        c = site.shape[-1]
        rows, block = prod(site.shape[:-1]), max(1, _BLOCK // c)
        fields: dict[str, Field] = {"x": site.x, "y": site.y, "rows": rows, "c": c, "block": block}
        return [Step(self.name, fields, site.node.layer, rows, block, work=self.cost(site))]


class ScaleShiftRows(Simple):
    name = "scale_shift"

    def emit(self, site: Site) -> Sequence[Step]:
        c, rows = site.shape[-1], prod(site.shape[:-1])
        period = gcd(rows, lcm(c, site.machine.isa.lanes) // c)
        scale, shift = aligned_array((period, c)), aligned_array((period, c))
        scale[:], shift[:] = site.weight(1), site.weight(2)
        rows, c = rows // period, c * period
        block = min(site.share(rows, self.cost(site)), max(1, _BLOCK // c))
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "scale": scale, "shift": shift, "rows": rows, "c": c, "block": block,
            **call_fields(site.op.activation),
        }  # fmt: skip
        return [Step(self.name, fields, site.node.layer, rows, block, work=self.cost(site))]


class BinaryStrided(Simple):
    name = "binary"

    def applies(self, site: Site) -> bool:
        return len(_collapse(site.result, *(site.operand_shape(i) for i in range(len(site.node.operands))))[0]) <= 4

    def emit(self, site: Site) -> Sequence[Step]:
        fields, units = self._walks(site)
        fields |= call_fields(site.op.activation)
        return [Step(f"{self.name}/{site.op.kind}", fields, site.node.layer, units, work=self.cost(site))]

    def _walks(self, site: Site) -> tuple[dict[str, Field], int]:
        """The fields of the result's axes and of the operands a, b … along them, and the extent of the first axis."""
        axes, walks = _collapse(site.result, *(site.operand_shape(i) for i in range(len(site.node.operands))))
        if 0 < len(axes) < 4:
            wanted = axes[0] // site.share(axes[0], self.cost(site))
            parts = gcd(axes[0], 1 << wanted.bit_length() - 1)
            between = 3 - len(axes)
            axes = [parts, *[1] * between, axes[0] // parts, *axes[1:]]
            walks = [[w[0] * axes[between + 1], *[0] * between, *w] for w in walks]
        lead = [0] * (4 - len(axes))
        extents = [1] * len(lead) + axes
        fields: dict[str, Field] = {"y": site.y, **{f"d{i}": extent for i, extent in enumerate(extents)}}
        for index, steps in enumerate(walks):
            name = "abc"[index]
            fields |= self._operand(site, index, name)
            fields |= {f"{name}{i}": step for i, step in enumerate([*lead, *steps])}
        return fields, extents[0]

    def _operand(self, site: Site, index: int, name: str) -> dict[str, Field]:
        operand = site.node.operands[index]
        if not isinstance(operand, Weight):
            return {name: site.value(index), f"{name}_n": prod(site.operand_shape(index)) * 4}
        constant = aligned_array(operand.shape)
        constant[...] = site.weight(index)
        return {name: constant, f"{name}_n": 0}


def _collapse(result: Shape, *operands: Shape) -> tuple[list[int], list[list[int]]]:
    """The fewest axes that walk a broadcast result, and each operand's step in bytes along them."""
    width = max(len(result), 1)
    walks = []
    for shape in operands:
        wide = (1,) * (width - len(shape)) + tuple(shape)
        sizes = np.cumprod((1, *wide[:0:-1]))[::-1] * 4
        walks.append([0 if s == 1 else int(size) for s, size in zip(wide, sizes, strict=True)])
    return join_axes((1,) * (width - len(result)) + tuple(result), *walks)


class SelectStrided(BinaryStrided):
    name = "select"

    def emit(self, site: Site) -> Sequence[Step]:
        fields, units = self._walks(site)
        return [Step(self.name, fields, site.node.layer, units, work=self.cost(site))]


class PadRows(Simple):
    name = "pad"

    def emit(self, site: Site) -> Sequence[Step]:
        *lead, h, wd, c = site.shape
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "h": h, "wd": wd, "c": c, "pt": site.op.pads[0][0], "pl": site.op.pads[1][0],
            "rows": site.result[-3], "columns": site.result[-2], "patch": Kernel("patch"),
        }  # fmt: skip
        return [Step(self.name, fields, site.node.layer, prod(lead), work=self.cost(site))]


class ConcatCopy(Simple):
    name = "copy"

    def emit(self, site: Site) -> Sequence[Step]:
        axis = site.op.axis
        y_step, offset, steps = prod(site.result[axis:]) * 4, 0, []
        for i in range(len(site.node.operands)):
            shape = site.operand_shape(i)
            outer, inner = prod(shape[:axis]), prod(shape[axis:])
            work = self.cost(site) * prod(shape) / max(prod(site.result), 1)
            block = site.share(outer, work)
            fields: dict[str, Field] = {
                "x": site.value(i), "y": site.y, "outer": outer, "inner": inner, "block": block, "y_step": y_step,
                "offset": offset,
            }  # fmt: skip
            offset += inner * 4
            steps.append(Step(self.name, fields, site.node.layer, outer, block, work=work))
        return steps


class TransposeStrided(Simple):
    name = "transpose"

    def applies(self, site: Site) -> bool:
        return len(site.shape) <= 6

    def emit(self, site: Site) -> Sequence[Step]:
        steps = [prod(site.shape[a + 1 :]) * 4 for a in site.op.axes]
        lead = 6 - len(steps)
        fields: dict[str, Field] = {"x": site.x, "y": site.y}
        fields |= {f"d{i}": d for i, d in enumerate([1] * lead + list(site.result))}
        fields |= {f"s{i}": s for i, s in enumerate([0] * lead + steps)}
        return [Step(self.name, fields, site.node.layer, work=self.cost(site))]


ALGORITHMS: Table = {
    Activate: (MapBlocks(),),
    Softmax: (SoftmaxRows(),),
    ScaleShift: (ScaleShiftRows(),),
    Binary: (BinaryStrided(),),
    Select: (SelectStrided(),),
    Pad: (PadRows(),),
    Concat: (ConcatCopy(),),
    Transpose: (TransposeStrided(),),
}
