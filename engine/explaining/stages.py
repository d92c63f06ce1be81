"""The stages of a picture's way through a network: every operation that looks through windows, and every dense one.

They are found in the graph as it was read, before any pass, so each is a layer of the file or a part of one. What
only scales, shifts or bends the result one number at a time belongs to the stage before it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from engine.frontend import LayerInfo, Network
from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import (
    LINEAR,
    Activate,
    Activation,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    GlobalPool,
    Identity,
    NormPool,
    Pool,
    Reshape,
    ScaleShift,
    Shape,
    Softmax,
)
from engine.look.table import deep

Staged: TypeAlias = Conv | ConvTranspose | Dense | DepthwiseConv | GlobalPool | NormPool | Pool


@dataclass(frozen=True)
class Passed:
    """A layer that the picture goes through between two stages."""

    name: str
    class_name: str
    output_shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Stage:
    """One operation from value `x` to value `y`.

    `name` is the layer's, `part` which of several stages of that layer this is. `scale` is the batch normalization
    that follows and `bend` the activation, where each is the only reader of what is before it; `softmax` is whether
    the result becomes probabilities. `after` are layers that follow before the next stage.
    """

    name: str
    class_name: str
    op: Staged
    x: int
    y: int
    weights: tuple[Weight, ...]
    scale: Node | None = None
    bend: Node | None = None
    softmax: bool = False
    part: str = ""
    after: list[Passed] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The layer's name, with the part of it."""
        return f"{self.name} ({self.part})" if self.part else self.name

    @property
    def activation(self) -> Activation:
        """What bends the result."""
        return self.bend.op.activation if self.bend and isinstance(self.bend.op, Activate) else LINEAR

    @property
    def kernel(self) -> Weight | None:
        """The weights that are multiplied, if there are any."""
        return self.weights[0] if self.weights else None

    @property
    def bias(self) -> Weight | None:
        """What is added for each channel, if anything is."""
        return self.weights[1] if len(self.weights) > 1 else None


class Reader:
    """Reads a graph as a picture's way; `source` is the value behind identities."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.made = graph.producers()
        self._uses = graph.uses()
        self._readers: dict[int, list[Node]] = {}
        for node in graph.nodes:
            for value in node.values:
                self._readers.setdefault(value, []).append(node)

    def source(self, value: int) -> int:
        """The value that this one is, behind layers that do nothing."""
        while (node := self.made.get(value)) and isinstance(node.op, Identity):
            value = node.values[0]
        return value

    def origin(self, value: int) -> int:
        """The image of one picture whose elements this value has, in the same order; itself if there is none."""
        found = self.source(value)
        while len(self.graph.shapes[found]) != 3 and (node := self.made.get(found)):
            if not isinstance(node.op, Reshape | Identity):
                break
            found = node.values[0]
        return found if len(self.graph.shapes[found]) == 3 else self.source(value)

    def only_reader(self, value: int) -> Node | None:
        """The one node that reads a value, if nothing else needs it."""
        return self._readers[value][0] if self._uses[value] == 1 and value in self._readers else None


def stages_of(network: Network) -> list[Stage]:
    """The stages in the order in which the picture passes them, each with the layers that follow it."""
    reader = Reader(network.graph)
    infos = {info.path: info for info in deep(network.layers)}
    stages = _parted([s for node in network.graph.nodes if (s := _stage(node, reader, infos))])
    _note_passed(stages, network, infos)
    return stages


def _parted(stages: Sequence[Stage]) -> list[Stage]:
    """The stages, those of a layer that has several with words for the parts."""
    counts = Counter(stage.name for stage in stages)
    seen: Counter[str] = Counter()
    found = []
    for stage in stages:
        seen[stage.name] += 1
        part = f"{seen[stage.name]} of {counts[stage.name]}"
        if stage.class_name.startswith("Separable") and counts[stage.name] == 2:
            part = "depthwise" if isinstance(stage.op, DepthwiseConv) else "pointwise"
        found.append(replace(stage, part=part) if counts[stage.name] > 1 else stage)
    return found


def _stage(node: Node, reader: Reader, infos: dict[str, LayerInfo]) -> Stage | None:
    x, shapes = node.values[0] if node.values else -1, reader.graph.shapes
    if not isinstance(node.op, Staged) or not _is_shown(node.op, shapes[x]):
        return None
    scale = bend = None
    last = node
    then = reader.only_reader(last.output)
    if then and isinstance(then.op, ScaleShift) and node.weights:
        scale = last = then
        then = reader.only_reader(last.output)
    if then and isinstance(then.op, Activate):
        bend = last = then
        then = reader.only_reader(last.output)
    info = infos.get(node.layer)
    return Stage(
        name=node.layer,
        class_name=info.class_name if info else type(node.op).__name__,
        op=node.op,
        x=reader.source(x),
        y=last.output,
        weights=node.weights,
        scale=scale,
        bend=bend,
        softmax=then is not None and isinstance(then.op, Softmax),
    )


def _is_shown(op: Staged, shape: Shape) -> bool:
    return len(shape) == (1 if isinstance(op, Dense) else 3)


def _note_passed(stages: Sequence[Stage], network: Network, infos: dict[str, LayerInfo]) -> None:
    """Enter the layers that are in no stage with the last stage before them."""
    at = {stage.name: stage for stage in stages}
    seen = {node.layer for stage in stages for node in (stage.scale, stage.bend) if node} | at.keys()
    last: Stage | None = None
    for node in network.graph.nodes:
        last = at.get(node.layer, last)
        info = infos.get(node.layer)
        if info and last and node.layer not in seen:
            seen.add(node.layer)
            last.after.append(Passed(info.path, info.class_name, (None, *info.output_shape)))
