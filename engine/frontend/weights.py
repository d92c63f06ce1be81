"""A layer's weights: asked for by the layer functions with the shapes they must have, matched to what was saved."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Protocol

from numpy.typing import NDArray

from engine.errors import GraphError, LimitExceededError, ModelFileError
from engine.frontend.h5 import Stored
from engine.frontend.saved import SavedLayer
from engine.frontend.spec import LayerSpec
from engine.ir.graph import Weight
from engine.ir.ops import Shape

MAX_DERIVED = 1 << 26
MAX_GROWTH = 32
"""Constants may be this many times larger than the weights that they are computed from, or have `MAX_DERIVED`."""


class Readable(Protocol):
    """Whatever values are read from."""

    def read(self) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Computed:
    """Values computed from others when they are read."""

    read: Callable[[], NDArray[Any]]


class Parameter:
    """One weight of a layer, in Keras's shape. `read` works once `stored` is set.

    `otherwise` are further shapes that it may be saved in, each with the order in which its axes make ours.
    """

    def __init__(self, name: str, shape: Shape, trainable: bool, integer: bool) -> None:
        self.trainable = trainable
        self.integer = integer
        self.otherwise: Mapping[Shape, Sequence[int]] = {}
        self.stored: Readable | None = None
        self.weight = Weight(name, shape, self.read)

    def read(self) -> NDArray[Any]:
        """The saved values, as float32 or float64."""
        if self.stored is None:
            raise ModelFileError(f"weight {self.weight.name!r} has no data")
        return self.stored.read()


@dataclass(eq=False)
class LayerState:
    """One layer while the graph is built, however often it is called: its weights and, in a model, its layers.

    `results` are the values that each of its calls gave, by the number of the call; where models hold it, the numbers
    of their calls come before it.
    """

    spec: LayerSpec
    path: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    derived: dict[str, Weight] = field(default_factory=dict)
    children: dict[str, "LayerState"] = field(default_factory=dict)
    results: dict[tuple[int, ...], tuple[int, ...]] = field(default_factory=dict)

    @property
    def first_output(self) -> int:
        """The first value of the first call; -1 where there was none."""
        return self.results[min(self.results)][0] if self.results else -1

    @property
    def where(self) -> str:
        """How errors name the layer."""
        return f"layer {self.path!r} ({self.spec.class_name})"

    def weight(self, name: str, shape: Shape, trainable: bool, integer: bool) -> Weight:
        """The weight of that name; a second call of a shared layer gets the same one."""
        if name not in self.parameters:
            self.parameters[name] = Parameter(f"{self.path}/{name}", shape, trainable, integer)
        weight = self.parameters[name].weight
        if weight.shape != shape:
            raise GraphError(f"{self.where}: its {name} has shape {weight.shape}, but another call needs {shape}")
        return weight

    def derive(self, name: str, shape: Shape, compute: Callable[[], NDArray[Any]]) -> Weight:
        """A constant computed from weights when it is read; the same one for every call."""
        most = max(MAX_DERIVED, MAX_GROWTH * count(list(self.parameters.values())))
        if prod(shape) > most:
            raise LimitExceededError(f"{self.where}: a constant of shape {shape}; at most {most} elements are made")
        if name not in self.derived or self.derived[name].shape != shape:
            self.derived[name] = Weight(f"{self.path}/{name}", shape, compute)
        return self.derived[name]

    def all_parameters(self) -> Iterator[Parameter]:
        """The layer's own and its layers' weights, layer after layer, each once."""
        below = (p for child in self.children.values() for p in child.all_parameters())
        yield from dict.fromkeys([*self.parameters.values(), *below])

    def split(self) -> tuple[list[Parameter], list[Parameter]]:
        """Trainable weights and the others. A frozen layer or model has no trainable ones."""
        own = list(self.parameters.values())
        trainable = [p for p in own if p.trainable]
        fixed = [p for p in own if not p.trainable]
        for child in self.children.values():
            more_trainable, more_fixed = child.split()
            if self.spec.trainable:
                trainable += more_trainable
                fixed += more_fixed
            else:
                fixed += more_trainable + more_fixed
        trainable, fixed = list(dict.fromkeys(trainable)), list(dict.fromkeys(fixed))
        return (trainable, fixed) if self.spec.trainable else ([], trainable + fixed)


def bind(layers: Sequence[LayerState], saved: Sequence[SavedLayer]) -> None:
    """Give every weight its saved data: by layer, then by position. Raises `ModelFileError` where they do not fit."""
    needy = [layer for layer in layers if next(layer.all_parameters(), None) is not None]
    full = [entry for entry in saved if entry.weights]
    by_name = {entry.name: entry for entry in full}
    if len(by_name) == len(full) and by_name.keys() == {layer.path for layer in needy}:
        full = [by_name[layer.path] for layer in needy]
    if len(needy) != len(full):
        missing = sorted({layer.path for layer in needy} ^ set(by_name))[:3]
        raise ModelFileError(f"it describes {len(needy)} layers with weights but holds {len(full)}: see {missing}")
    for layer, entry in zip(needy, full, strict=True):
        _bind_layer(layer, entry)


def _bind_layer(layer: LayerState, saved: SavedLayer) -> None:
    trainable, fixed = layer.split()
    bind_parameters(layer.where, trainable + fixed, saved.weights)


def bind_parameters(where: str, parameters: Sequence[Parameter], saved: Sequence[Stored]) -> None:
    """Give the weights of the layer that `where` names its saved data, by position."""
    if len(parameters) != len(saved):
        expected = ", ".join(_show(p.weight.name, p.weight.shape) for p in parameters)
        found = ", ".join(_show(s.name, s.shape) for s in saved)
        raise ModelFileError(f"{where}: expected {len(parameters)} weights ({expected}), found ({found})")
    for parameter, stored in zip(parameters, saved, strict=True):
        name, shape = parameter.weight.name, parameter.weight.shape
        order = parameter.otherwise.get(stored.shape)
        if stored.shape != shape and order is None:
            raise ModelFileError(f"{where}: weight {name!r}: expected shape {shape}, found {stored.shape}")
        if stored.kind == "integer" and not parameter.integer:
            raise ModelFileError(f"{where}: weight {name!r}: expected floating point, found {stored.dtype}")
        parameter.stored = stored if order is None else _transposed(stored, order)


def _transposed(stored: Stored, order: Sequence[int]) -> Computed:
    return Computed(lambda: stored.read().transpose(order))


def _show(name: str, shape: Shape) -> str:
    return f"{name.rsplit('/', 1)[-1]} {shape}"


def count(parameters: Sequence[Parameter]) -> int:
    """Number of elements."""
    return sum(prod(p.weight.shape) for p in parameters)
