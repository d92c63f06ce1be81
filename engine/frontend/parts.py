"""Parts of a model by the names of its layers: `conv`, `inner/conv` within a model, `shared:1` for a second call."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.errors import InputError
from engine.frontend.spec import ModelSpec
from engine.frontend.weights import LayerState

MOST_LISTED = 20


@dataclass(frozen=True)
class Part:
    """One call of a layer, counted from 0 in the order of the file, and the values that it gives."""

    name: str
    layer: LayerState
    call: int
    values: tuple[int, ...]


def parts_of(model: LayerState, names: Sequence[str]) -> list[Part]:
    """The call that each name stands for. Raises `InputError` for a name that stands for none."""
    known = {layer.path: layer for layer in _inside(model)}
    return [_part(known, name) for name in names]


def _part(known: dict[str, LayerState], name: str) -> Part:
    path, _, number = (name, "", "0") if name in known else name.rpartition(":")
    layer = known.get(path)
    if layer is None or not number.isdecimal():
        raise unknown_layer(name, list(known))
    call = int(number[:9])
    if call >= len(layer.results):
        raise InputError(f"layer {path!r} is called {len(layer.results)} times; there is no call {number[:9]}")
    return Part(name, layer, call, layer.results[call])


def unknown_layer(name: str, known: Sequence[str]) -> InputError:
    """The error for a name that no layer has."""
    listed = ", ".join(known[:MOST_LISTED])
    return InputError(f"no layer {name!r}; the layers are {listed}{', …' if len(known) > MOST_LISTED else ''}")


def _inside(model: LayerState) -> Iterator[LayerState]:
    for layer in model.children.values():
        yield layer
        if layer.spec.model is not None:
            yield from _inside(layer)


def layers_on_the_way(spec: ModelSpec, parts: Sequence[Part]) -> set[str]:
    """The model's layers that these parts need, and its inputs."""
    needed = set()
    for part in parts:
        whole = part.layer.path in {layer.name for layer in spec.layers}
        top = part.layer.path if whole else _holder(spec, part.layer.path)
        needed |= {(c.layer, c.node) for c in spec.calls if c.layer == top and (c.node == part.call or not whole)}
        needed.add((top, 0))
    for call in reversed(spec.calls):
        if (call.layer, call.node) in needed:
            needed |= {(ref.layer, ref.node) for ref in call.arguments.refs()}
    return {name for name, _ in needed} | set(spec.inputs)


def _holder(spec: ModelSpec, path: str) -> str:
    """The model among the layers that holds the layer at a path."""
    return next(layer.name for layer in spec.layers if layer.model and path.startswith(f"{layer.name}/"))
