"""A model as described: layers, and the calls that connect them. No shapes, no weights yet."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

INPUT = "InputLayer"
MODELS = ("Sequential", "Functional")


@dataclass(frozen=True, slots=True)
class Ref:
    """Output `tensor` of call `node` of a layer."""

    layer: str
    node: int
    tensor: int


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a layer is called with: references and constants, nested as Keras nests them."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def refs(self) -> Iterator[Ref]:
        """Every reference, in order."""
        return refs_in([*self.args, *self.kwargs.values()])


@dataclass(frozen=True)
class LayerSpec:
    """One layer. A nested model has its own description in `model`. `saved_as` is the class in the file's words."""

    name: str
    class_name: str
    config: Mapping[str, Any]
    trainable: bool
    model: "ModelSpec | None" = None
    saved_as: str = ""

    @property
    def where(self) -> str:
        """How errors name the layer."""
        return f"layer {self.name!r} ({self.class_name})"


@dataclass(frozen=True, slots=True)
class CallSpec:
    """The `node`-th time that a layer is used."""

    layer: str
    node: int
    arguments: Arguments


@dataclass(frozen=True)
class ModelSpec:
    """A model: layers in Keras's order, calls in an order that runs, inputs as names of input layers.

    `output_keys` are sorted, as the outputs are, and those of the dictionary that it answers with, if it does.
    """

    name: str
    class_name: str
    trainable: bool
    layers: tuple[LayerSpec, ...]
    inputs: tuple[str, ...]
    outputs: tuple[Ref, ...]
    calls: tuple[CallSpec, ...]
    output_keys: tuple[str, ...] | None = None


def refs_in(value: Any) -> Iterator[Ref]:
    """The references inside a nested value, in the order in which Keras flattens it: dictionaries by sorted key."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, Ref):
            yield item
        elif isinstance(item, list | tuple):
            todo += reversed(item)
        elif isinstance(item, dict):
            todo += [item[key] for key in sorted(item, reverse=True)]


def map_refs(value: Any, change: Callable[[Ref], Any]) -> Any:
    """The nested value with every reference changed."""
    if isinstance(value, Ref):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(map_refs(v, change) for v in value)
    if isinstance(value, dict):
        return {key: map_refs(v, change) for key, v in value.items()}
    return value
