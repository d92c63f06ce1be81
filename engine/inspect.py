"""`inspect_model`: all there is to say about a model file without running it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

import numpy as np

from engine.frontend import Source, name_of
from engine.frontend.survey import LayerReport, Survey, survey
from engine.ir.graph import Graph, Operand, Weight
from engine.passes import optimise


@dataclass(frozen=True)
class Inspection:
    """A survey of a file, and what memory its model needs. `str` is a report for people."""

    path: str
    survey: Survey

    @property
    def unsupported(self) -> tuple[LayerReport, ...]:
        """The layers that are not computed."""
        return tuple(layer for layer in self.survey.layers if layer.status == "unsupported")

    @property
    def complaints(self) -> tuple[str, ...]:
        """Whatever else keeps the model from running."""
        wrong = (layer.reason for layer in self.survey.layers if layer.status == "wrong")
        return (*wrong, *self.survey.problems, *(f"it lacks {what}" for what in self.survey.missing))

    @property
    def runs(self) -> bool:
        """Whether `load_model` would succeed."""
        return not self.unsupported and not self.complaints

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights in float32."""
        return 4 * self.survey.parameters

    @property
    def value_bytes(self) -> int | None:
        """Bytes that the values alive at one time take for one example, at most; None where that is not known."""
        return None if self.survey.graph is None else _peak(optimise(_blank(self.survey.graph)))

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        found = self.survey
        return {
            "path": self.path,
            "format": found.format,
            "keras_version": found.keras_version,
            "name": found.name,
            "runs": self.runs,
            "inputs": {name: _with_batch(shape) for name, shape in found.inputs.items()},
            "outputs": list(found.outputs),
            "layers": [_layer(layer) for layer in found.layers],
            "parameters": found.parameters,
            "weight_bytes": self.weight_bytes,
            "value_bytes": self.value_bytes,
            "notes": list(found.notes),
            "missing": list(found.missing),
            "problems": list(found.problems),
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        found = self.survey
        yield f"{self.path}: {found.format}, Keras {found.keras_version or 'of unknown version'}"
        for name, shape in found.inputs.items():
            yield f"input {name}: {_with_batch(shape) or 'unknown'}"
        width = max((len(f"{layer.name} ({layer.class_name})") for layer in found.layers), default=0)
        for layer in found.layers:
            label = f"{layer.name} ({layer.class_name})".ljust(width)
            yield f"  {label}  {layer.status}{f': {layer.reason}' if layer.reason else ''}"
        if found.parameters:
            yield f"{found.parameters:,} parameters, {self.weight_bytes:,} bytes"
        if self.value_bytes is not None:
            yield f"{self.value_bytes:,} bytes of values for each example"
        yield from found.notes
        yield from self.complaints
        yield "It runs." if self.runs else "It does not run."


def inspect_model(
    path: Source,
    *,
    arch: Source | None = None,
    lambdas: Mapping[str, Callable[..., Any]] | None = None,
    sandbox: bool = False,
) -> Inspection:
    """What a file holds, which layers are supported and why others are not, and what is missing.

    The arguments are those of `load_model`. Raises `EngineError` for what is no Keras file, or a damaged one.
    """
    return Inspection(name_of(path), survey(path, arch, lambdas or {}, sandbox))


def _layer(layer: LayerReport) -> dict[str, Any]:
    return {
        "name": layer.name,
        "class_name": layer.class_name,
        "status": layer.status,
        "reason": layer.reason,
        "output_shape": _with_batch(layer.output_shape),
        "parameters": layer.parameters,
    }


def _with_batch(shape: tuple[int | None, ...] | None) -> list[int | None] | None:
    return None if shape is None else [None, *shape]


def _blank(graph: Graph) -> Graph:
    """The graph with zeros for weights: passes look at some, but the file is closed."""

    def blank(operand: Operand) -> Operand:
        if isinstance(operand, Weight):
            return Weight(operand.name, operand.shape, partial(np.zeros, operand.shape))
        return operand

    return replace(graph, nodes=tuple(replace(n, operands=tuple(map(blank, n.operands))) for n in graph.nodes))


def _peak(graph: Graph) -> int:
    last = {v: i for i, node in enumerate(graph.nodes) for v in node.values}
    last |= dict.fromkeys(graph.outputs, len(graph.nodes))
    alive = {v: prod(graph.shapes[v]) for v in graph.inputs}
    peak = sum(alive.values())
    for i, node in enumerate(graph.nodes):
        alive[node.output] = prod(graph.shapes[node.output])
        peak = max(peak, sum(alive.values()))
        alive = {v: size for v, size in alive.items() if last.get(v, -1) > i}
    return 4 * peak
