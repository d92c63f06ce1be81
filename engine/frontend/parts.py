"""Parts of a model by the names of its layers: `conv`, `inner/conv` within a model, `shared:1` for a second call."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.errors import InputError
from engine.frontend.spec import ModelSpec
from engine.frontend.weights import LayerState

MOST_LISTED = 20


@dataclass(frozen=True)
class Part:
    """The values that one call of a layer gives; `call` has the numbers of the calls, the outermost model's first."""

    name: str
    layer: LayerState
    call: tuple[int, ...]
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
    calls, count = sorted(layer.results), int(number[:9])
    if count >= len(calls):
        raise InputError(f"layer {path!r} is called {len(calls)} times; there is no call {count}")
    return Part(name, layer, calls[count], layer.results[calls[count]])


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
    needed = {(_first(spec, part.layer.path), part.call[0]) for part in parts}
    for call in reversed(spec.calls):
        if (call.layer, call.node) in needed:
            needed |= {(ref.layer, ref.node) for ref in call.arguments.refs()}
    return {name for name, _ in needed} | set(spec.inputs)


def _first(spec: ModelSpec, path: str) -> str:
    """The layer of the model that a path leads through or to."""
    names = [layer.name for layer in spec.layers]
    return path if path in names else next(name for name in names if path.startswith(f"{name}/"))
