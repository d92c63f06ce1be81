"""Products whose weights differ from place to place."""

from collections.abc import Sequence
from math import prod

from engine.ir.ops import LocalDense
from engine.plan.site import Site, Table, aligned_array
from engine.plan.step import Field, Step


class LocalDenseRows:
    """Each matrix is read once for each image."""

    name = "local_dense"

    def applies(self, site: Site) -> bool:
        return True

    def cost(self, site: Site) -> float:
        size = prod(site.operand_shape(1)) * prod(site.shape[:-2])
        return site.nanoseconds(2.0 * size, size)

    def emit(self, site: Site) -> Sequence[Step]:
        places, k, f = site.operand_shape(1)
        weights = aligned_array((places, k, f))
        weights[:] = site.weight(1)
        fields: dict[str, Field] = {"x": site.x, "w": weights, "y": site.y, "places": places, "k": k, "f": f}
        return [Step(self.name, fields, site.node.layer, prod(site.shape[:-1]), work=self.cost(site))]


ALGORITHMS: Table = {LocalDense: (LocalDenseRows(),)}
