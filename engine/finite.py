"""Weights that are NaN or infinite: looked for while they are read, and told with the names of their layers."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelFileError
from engine.ir.graph import Graph, Weight

log = logging.getLogger("engine")

_NAMED = 5


class Watch:
    """Looks at the weights of a graph whenever they are read."""

    def __init__(self) -> None:
        self._layers: dict[str, None] = {}

    def over(self, graph: Graph) -> Graph:
        """The same graph, watched."""
        nodes = []
        for node in graph.nodes:
            operands = (self._watched(o, node.layer) if isinstance(o, Weight) else o for o in node.operands)
            nodes.append(replace(node, operands=tuple(operands)))
        return replace(graph, nodes=tuple(nodes))

    def _watched(self, weight: Weight, layer: str) -> Weight:
        def read() -> NDArray[Any]:
            array = weight.read()
            if not is_finite(array):
                self._layers[layer] = None
            return array

        return Weight(weight.name, weight.shape, read)

    def report(self, path: str, strict: bool) -> None:
        """One warning that names the layers found so far; `ModelFileError` instead where the caller is strict."""
        if self._layers:
            names = ", ".join(map(repr, list(self._layers)[:_NAMED])) + ", …" * (len(self._layers) > _NAMED)
            message = f"{path}: weights that are NaN or infinite in {len(self._layers)} layers: {names}"
            if strict:
                raise ModelFileError(message)
            log.warning("%s", message)


def is_finite(array: NDArray[Any]) -> bool:
    """Whether all numbers are finite. A sum is quick to tell; one that is too large says nothing."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(array.sum())) or bool(np.isfinite(array).all())
