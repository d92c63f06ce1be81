"""A model as boxes and the lines between them: what the diagrams draw."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.look.table import LayerFacts, Summary, times
from engine.summary import shortened

INPUT = "InputLayer"


@dataclass(frozen=True)
class Box:
    """One layer. `detail` is its class and window, `shape` that of its result, `feeds` the boxes that it reads."""

    name: str
    class_name: str
    detail: str
    shape: str
    parameters: int
    feeds: tuple[int, ...]


def boxes_of(summary: Summary) -> list[Box]:
    """The layers in their order, and the inputs that a Sequential model does not list.

    A layer that is called several times is one box, with the lines of its first call.
    """
    listed = {layer.name for layer in summary.layers}
    hidden = {name: shape for name, shape in summary.inputs.items() if name not in listed}
    places = {name: i for i, name in enumerate([*hidden, *(layer.name for layer in summary.layers)])}
    inputs = [Box(shortened(name), INPUT, INPUT, times(shape), 0, ()) for name, shape in hidden.items()]
    return inputs + [_box(layer, places) for layer in summary.layers]


def _box(layer: LayerFacts, places: dict[str, int]) -> Box:
    feeds = tuple(places[name] for name in layer.inbound if name in places)
    shape = "×".join("?" if size is None else str(size) for size in layer.output_shape[1:])
    return Box(shortened(layer.name), layer.class_name, _detail(layer), shape or "1", layer.parameters, feeds)


def _detail(layer: LayerFacts) -> str:
    parts = [shortened(layer.class_name)]
    if layer.kernel:
        parts.append(times(layer.kernel))
        if layer.strides and set(layer.strides) != {1}:
            parts.append("/" + (str(layer.strides[0]) if len(set(layer.strides)) == 1 else times(layer.strides)))
        if layer.dilation:
            parts.append(f"dilated {times(layer.dilation)}")
        if layer.padding.split()[:1] == ["same"]:
            parts.append("same")
    return " ".join(parts)


def feeds_of(boxes: Sequence[Box]) -> list[tuple[int, ...]]:
    """Which boxes each box reads."""
    return [box.feeds for box in boxes]
