"""A network as bytes: JSON for what is small, bare numbers for the weights. No byte chooses code when it is read.

First come the weights, float32 or float64 in little-endian order, then the JSON, then its length in eight bytes. The
JSON has dataclasses as objects of their fields; it is read by their type annotations, and whatever does not fit them
is refused. Operations are found by name in a table of those that exist.
"""

import json
import types
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from math import prod
from threading import Lock
from typing import Any, BinaryIO, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelFileError
from engine.frontend import strict_json
from engine.frontend.config import MAX_INT
from engine.frontend.files import MAX_TEXT, Bytes
from engine.frontend.network import Network
from engine.frontend.open_sizes import fits
from engine.ir import ops
from engine.ir.graph import Graph, Weight
from engine.ir.ops import HostCall, Op, Shape
from engine.ir.verify import verify

Kind: TypeAlias = Literal["<f4", "<f8"]
OPS: Mapping[str, type[Op]] = {
    name: kind
    for name, kind in vars(ops).items()
    if isinstance(kind, type) and issubclass(kind, Op) and kind not in (Op, HostCall)
}


class MisfitError(ValueError):
    """Data that does not fit the type that it should have."""


@dataclass(frozen=True)
class Place:
    """Where the numbers of a weight are."""

    name: str
    shape: Shape
    kind: Kind
    start: int

    @property
    def size(self) -> int:
        """Bytes."""
        return prod(self.shape) * int(self.kind[-1])


@dataclass(frozen=True)
class Failure:
    """An error in place of a network: the class by name, and what it says."""

    error: str
    message: str


def write_network(network: Network, file: BinaryIO) -> None:
    """Write all of an open network. Raises what reading its weights raises."""
    known: dict[int, int] = {}
    weights: list[Weight] = []

    def plain(value: Any) -> Any:
        if isinstance(value, Weight):
            if id(value) not in known:
                known[id(value)] = len(weights)
                weights.append(value)
            return {"weight": known[id(value)]}
        if is_dataclass(value) and not isinstance(value, type | HostCall):
            named = {"op": type(value).__name__} if isinstance(value, Op) else {}
            return named | {f.name: getattr(value, f.name) for f in fields(value) if f.type is not ExitStack}
        raise TypeError(f"a {type(value).__name__} cannot be handed over")

    text = json.dumps({"network": network}, default=plain)
    places, start = [], 0
    for weight in weights:
        numbers = weight.read()
        kind: Kind = "<f4" if numbers.dtype == np.float32 else "<f8"
        array = np.ascontiguousarray(numbers, kind)
        file.write(array.data)
        places.append(Place(weight.name, weight.shape, kind, start))
        start += array.nbytes
    _finish(file, text[:-1] + ', "places": ' + json.dumps(places, default=plain) + "}")


def write_failure(error: Exception, file: BinaryIO) -> None:
    """Write an error in place of a network."""
    _finish(file, json.dumps({"failure": vars(Failure(type(error).__name__, str(error)))}))


def _finish(file: BinaryIO, text: str) -> None:
    content = text.encode()
    file.write(content)
    file.write(len(content).to_bytes(8, "little"))


def read_network(file: Bytes, stack: ExitStack) -> Network | Failure:
    """What `write_network` or `write_failure` wrote. Raises `ModelFileError` for anything else.

    The network's weights are read from `file` when they are asked for; `stack` becomes the network's.
    """
    length = min(int.from_bytes(file.read_at(file.size - 8, 8), "little"), MAX_TEXT + 1)
    data = strict_json.parse(file.read_at(file.size - 8 - length, length), "its answer", constants=True)
    reader = _Reader(file, file.size - 8 - length, stack)
    try:
        if isinstance(data, dict) and data.keys() == {"failure"}:
            failure: Failure = reader.dataclass(Failure, data["failure"])
            return failure
        if not isinstance(data, dict) or data.keys() != {"network", "places"}:
            raise MisfitError("it is neither a network nor a failure")
        reader.place(data["places"])
        network: Network = reader.dataclass(Network, data["network"])
        _check(network)
    except ValueError as error:
        raise ModelFileError(f"the sandbox answered what is no network: {error}") from None
    return network


class _Reader:
    """Makes values of given types from JSON."""

    def __init__(self, file: Bytes, end: int, stack: ExitStack) -> None:
        self._file, self._end, self._stack = file, end, stack
        self._lock = Lock()
        self._weights: list[Weight] = []
        self._special: Mapping[Any, Callable[[Any], Any]] = {
            Any: lambda data: data,
            float: self._float,
            Weight: self._weight,
            Op: self._op,
        }

    def place(self, data: Any) -> None:
        """Take the table of weights."""
        for place in self.value(tuple[Place, ...], data):
            if min(place.shape, default=0) < 0 or not 0 <= place.start <= self._end - place.size:
                raise MisfitError(f"weight {place.name!r} is not where it says")
            self._weights.append(Weight(place.name, place.shape, partial(self._read, place)))

    def _read(self, place: Place) -> NDArray[Any]:
        array = np.empty(place.shape, place.kind)
        with self._lock:
            self._file.seek(place.start)
            self._file.readinto(array.reshape(-1).view(np.uint8).data)
        return array

    def value(self, kind: Any, data: Any) -> Any:
        """`data` as a value of a type."""
        if (origin := get_origin(kind)) is not None:
            return self._generic(kind, origin, data)
        if (special := self._special.get(kind)) is not None:
            return special(data)
        return self.dataclass(kind, data) if is_dataclass(kind) else self._exactly(data, type(data) is kind, kind)

    def _generic(self, kind: Any, origin: Any, data: Any) -> Any:
        arguments = get_args(kind)
        if origin in (Union, types.UnionType):
            return self._any_of(arguments, data)
        if origin is tuple:
            return self._tuple(arguments, data)
        if origin is Mapping:
            return self._mapping(arguments[0], arguments[1], data)
        return self._exactly(data, origin is Literal and data in arguments, kind)

    def dataclass(self, kind: Any, data: Any) -> Any:
        """A dataclass from an object of its fields."""
        hints = _hints(kind)
        wanted = {key for key, hint in hints.items() if hint is not ExitStack}
        if not isinstance(data, dict) or data.keys() != wanted:
            raise MisfitError(f"{kind.__name__} has other fields")
        values = {key: self._stack if hint is ExitStack else self.value(hint, data[key]) for key, hint in hints.items()}
        return kind(**values)

    def _float(self, data: Any) -> float:
        return float(self._exactly(data, isinstance(data, int | float) and not isinstance(data, bool), float))

    def _exactly(self, data: Any, fits: bool, kind: Any) -> Any:
        if not fits:
            raise MisfitError(f"{repr(data)[:40]} is no {getattr(kind, '__name__', kind)}")
        return data

    def _any_of(self, kinds: tuple[Any, ...], data: Any) -> Any:
        for kind in kinds:
            try:
                return None if kind is types.NoneType and data is None else self.value(kind, data)
            except MisfitError:
                continue
        raise MisfitError(f"{repr(data)[:40]} is none of {kinds}")

    def _tuple(self, kinds: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
        self._exactly(data, isinstance(data, list), tuple)
        each = [kinds[0]] * len(data) if kinds[-1] is Ellipsis else kinds
        self._exactly(data, len(each) == len(data), tuple)
        return tuple(self.value(kind, item) for kind, item in zip(each, data, strict=True))

    def _mapping(self, key_kind: Any, kind: Any, data: Any) -> dict[Any, Any]:
        self._exactly(data, isinstance(data, dict), dict)
        return {int(key) if key_kind is int else key: self.value(kind, item) for key, item in data.items()}

    def _weight(self, data: Any) -> Weight:
        number = data.get("weight") if isinstance(data, dict) else None
        if type(number) is not int or not 0 <= number < len(self._weights):
            raise MisfitError(f"{repr(data)[:40]} is no weight")
        return self._weights[number]

    def _op(self, data: Any) -> Any:
        kind = OPS.get(str(data.pop("op", None))) if isinstance(data, dict) else None
        if kind is None:
            raise MisfitError(f"{repr(data)[:40]} is no operation")
        return self.dataclass(kind, data)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _check(network: Network) -> None:
    graph: Graph = network.graph
    verify(graph)
    for shape in graph.shapes.values():
        if min(shape, default=1) < 1 or prod(shape) > MAX_INT:
            raise MisfitError(f"no value has the shape {shape}")
    inputs, outputs = len(graph.inputs), len(graph.outputs)
    if {len(network.input_names), len(network.input_shapes), len(network.input_dtypes)} != {inputs}:
        raise MisfitError("its inputs do not fit")
    if {len(network.output_names), len(network.output_shapes)} != {outputs} or not outputs:
        raise MisfitError("its outputs do not fit")
    for value, declared in zip(graph.inputs, network.input_shapes, strict=True):
        if not fits(declared, graph.shapes[value]):
            raise MisfitError(f"an input of shape {declared} has another one in the graph")
