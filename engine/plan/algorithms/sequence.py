"""Tables and recurrence."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ir.ops import Embed, Recurrent
from engine.plan.algorithms.panels import pack_panels
from engine.plan.memory import aligned
from engine.plan.site import Site, Table, aligned_array
from engine.plan.step import Field, Kernel, Step, call_fields

_NUMBERS = 64
_BLOCK = 8


class EmbedRows:
    """Row after row."""

    name = "embed"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        return site.nanoseconds(0, 2.0 * prod(site.result)) + 5.0 * prod(site.shape)

    def emit(self, site: Site) -> Sequence[Step]:
        rows, width = site.operand_shape(1)
        table = aligned_array((rows, width))
        table[:] = site.weight(1)
        count = prod(site.shape)
        fields: dict[str, Field] = {
            "x": site.x, "table": table, "y": site.y, "count": count, "rows": rows, "width": width, "block": _NUMBERS,
        }  # fmt: skip
        return [Step(self.name, fields, site.node.layer, count, _NUMBERS, work=self.cost(site))]


class RecurrentSteps:
    """Step after step for a few images at once, the recurrent kernel in panels."""

    name = "recurrent"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        *lead, steps, k = site.shape
        u, columns = site.operand_shape(site.op.kernel_place + 1)
        flops = 2.0 * (k + u) * columns + 40.0 * columns
        return prod(lead) * steps * site.nanoseconds(flops, u * columns / 4)

    def emit(self, site: Site) -> Sequence[Step]:
        op: Recurrent = site.op
        *lead, steps, k = site.shape
        place, gate, gru = op.kernel_place, call_fields(op.gate), op.gates == 3
        kernel = site.weight(place + 1)
        u = len(kernel)
        fields: dict[str, Field] = {
            "x": site.x, "y": site.y, "images": prod(lead), "steps": steps, "features": k, "units": u,
            "block": _BLOCK, "w_input": self._packed(site, site.weight(place)), "bias": _copy(site.weight(place + 2)),
            "rows": prod(site.result) // (prod(lead) * u), "sequences": op.sequences, "states": op.states,
            "backwards": op.backwards, "flipped": op.flipped, "zeros": op.zeros,
            "w": self._packed(site, kernel[:, : 2 * u] if gru else kernel),
            "w_candidate": self._packed(site, kernel[:, 2 * u :]) if gru else 0,
            "bias_candidate": _copy(site.weight(place + 3)) if op.kind == "gru_after" else 0, "tile": Kernel("tile"),
            "gate": gate["act"], "gate_params": gate["act_params"], **call_fields(op.activation), **_values(site),
        }  # fmt: skip
        scratch = aligned(_BLOCK * ((3 + op.gates) * u + 1) * 4)
        name = f"{self.name}/{op.kind}"
        return [Step(name, fields, site.node.layer, prod(lead), _BLOCK, work=self.cost(site), scratch=scratch)]

    def _packed(self, site: Site, matrix: NDArray[Any]) -> NDArray[np.float32]:
        return pack_panels(matrix[None], site.machine.isa)


def _copy(values: NDArray[np.float32]) -> NDArray[Any]:
    copied = aligned_array(values.shape)
    copied[...] = values
    return copied


def _values(site: Site) -> dict[str, Field]:
    """The mask and the initial states, 0 for those that there are not."""
    op: Recurrent = site.op
    fields = dict[str, Field](mask=0, h=0, c=0)
    names = ["mask"] * op.masked + ["h", "c"][: op.state_count] * op.initial
    return fields | {name: site.value(i) for i, name in enumerate(names, 1)}


ALGORITHMS: Table = {Embed: (EmbedRows(),), Recurrent: (RecurrentSteps(),)}
