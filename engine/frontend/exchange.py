"""A saved model as bytes: bare numbers for the weights, JSON for the rest. No byte chooses code when it is read.

First come the weights, float32 or float64 in little-endian order, then the JSON, then its length in eight bytes. The
JSON has dataclasses as objects of their fields; it is read by their types (`typed_json.py`), and what does not fit
them is refused.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from math import prod
from threading import Lock
from typing import Any, BinaryIO, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import LimitExceededError, ModelFileError
from engine.frontend import strict_json
from engine.frontend.files import MAX_TEXT, Bytes
from engine.frontend.h5 import Archive, Stored
from engine.frontend.saved import SavedLayer, SavedLayers, SavedModel, SavedTree
from engine.frontend.typed_json import MisfitError, plain, typed
from engine.frontend.weights_tree import MAX_DEPTH
from engine.ir.ops import Shape

Numbers: TypeAlias = Literal["<f4", "<f8"]
MAX_GROUPS = 200_000
SKIPPED = frozenset({"optimizer"})
DTYPES: Mapping[str, np.dtype[Any]] = {
    dtype.str: dtype
    for order in "<>"
    for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "V2")
    for dtype in [np.dtype(order + kind)]
}


@dataclass(frozen=True)
class Place:
    """Where the numbers of a weight are, and what they were in the file."""

    name: str
    shape: Shape
    kind: Literal["float", "bfloat16", "integer"]
    dtype: str
    numbers: Numbers
    start: int

    @property
    def size(self) -> int:
        """Bytes."""
        return prod(self.shape) * int(self.numbers[-1])


@dataclass(frozen=True)
class Leaf:
    """A layer and its weights."""

    name: str
    weights: tuple[Place, ...]


@dataclass(frozen=True)
class Branch:
    """A group of a tree of weights."""

    layer_name: str | None
    variables: tuple[Place, ...]
    children: Mapping[str, "Branch"]


@dataclass(frozen=True)
class Handed:
    """A saved model. `size` is that of the files that hold its weights."""

    config: Any
    training: Any
    keras_version: str
    backend: str
    format: str
    size: int
    weights: tuple[Leaf, ...] | Branch | None
    metadata: str


@dataclass(frozen=True)
class Failure:
    """An error in place of a model: its class by name, and what it says."""

    error: str
    message: str


class _Writer:
    def __init__(self, file: BinaryIO) -> None:
        self._file, self._at, self._groups = file, 0, 0

    def place(self, stored: Stored) -> Place:
        """Write the numbers of a data set."""
        array = stored.read()
        numbers: Numbers = "<f4" if array.dtype == np.float32 else "<f8"
        array = np.ascontiguousarray(array, numbers)
        self._file.write(array.data)
        self._at += array.nbytes
        return Place(stored.name, stored.shape, stored.kind, stored.dtype.str, numbers, self._at - array.nbytes)  # type: ignore[arg-type]

    def branch(self, tree: SavedTree, above: Set[int] = frozenset()) -> Branch:
        """Write the numbers of a group and of those in it. A group that holds itself ends there."""
        self._groups += 1
        if len(above) > MAX_DEPTH or self._groups > MAX_GROUPS:
            raise LimitExceededError("its groups are more than are read, or nested too deep")
        here = above | _addresses(tree)
        variables = tuple(map(self.place, tree.variables))
        names = [name for name in tree.names if above or name not in SKIPPED]
        children = {name: self.branch(child, here) for name, child in _groups(tree, names, here)}
        return Branch(tree.layer_name, variables, children)


def _groups(tree: SavedTree, names: Iterable[str], above: Set[int]) -> Iterator[tuple[str, SavedTree]]:
    for name in names:
        found = any(archive.is_group(group, name) for archive, group in tree.places)
        child = tree.child(name) if found else None
        if child is not None and above.isdisjoint(_addresses(child)):
            yield name, child


def _addresses(tree: SavedTree) -> set[int]:
    return {id(archive) << 64 | archive.address(group) for archive, group in tree.places}


def write_model(saved: SavedModel, file: BinaryIO) -> None:
    """Write a saved model with all of its weights. Raises what reading them raises."""
    writer, weights = _Writer(file), saved.weights
    found: tuple[Leaf, ...] | Branch | None = None
    archives: set[Archive] = set()
    if isinstance(weights, SavedTree):
        archives = {archive for archive, _ in weights.places}
        found = writer.branch(weights)
    elif weights is not None:
        archives = {stored.archive for layer in weights for stored in layer.weights}
        found = tuple(Leaf(layer.name, tuple(map(writer.place, layer.weights))) for layer in weights)
    size = sum(archive.size for archive in archives)
    words = saved.keras_version, saved.backend, saved.format
    _finish(file, Handed(saved.config, saved.training, *words, size, found, saved.metadata))


def write_failure(error: Exception, file: BinaryIO) -> None:
    """Write an error in place of a model."""
    _finish(file, Failure(type(error).__name__, str(error)))


def _finish(file: BinaryIO, value: Handed | Failure) -> None:
    content = json.dumps(value, default=plain).encode()
    file.write(content)
    file.write(len(content).to_bytes(8, "little"))


def read_answer(file: Bytes) -> SavedModel | Failure:
    """What `write_model` or `write_failure` wrote. Raises `ModelFileError` for anything else.

    The weights are read from `file` when they are asked for.
    """
    length = min(int.from_bytes(file.read_at(file.size - 8, 8), "little"), MAX_TEXT + 1)
    data = strict_json.parse(file.read_at(file.size - 8 - length, length), "its answer", constants=True)
    try:
        found: Handed | Failure = typed(Handed | Failure, data)
        return found if isinstance(found, Failure) else _Answer(file, length, found.size).model(found)
    except MisfitError as error:
        raise ModelFileError(f"the process that read it answered what is no model: {error}") from None


class _Answer:
    """In place of an archive: reads data sets from the answer."""

    def __init__(self, file: Bytes, length: int, size: int) -> None:
        self.size = size
        self._file, self._end, self._lock = file, file.size - 8 - length, Lock()

    def model(self, handed: Handed) -> SavedModel:
        """The model, as if it had been read here."""
        if not isinstance(handed.config, dict | None) or not isinstance(handed.training, dict):
            raise MisfitError("its description is none")
        return SavedModel(
            handed.config,
            handed.training,
            handed.keras_version,
            handed.backend,
            handed.format,
            self._weights(handed.weights),
            handed.metadata,
        )

    def _weights(self, found: tuple[Leaf, ...] | Branch | None) -> SavedLayers | SavedTree | None:
        if isinstance(found, Branch):
            return _HandedTree("", cast(Any, ((self, None),)), found)
        return None if found is None else tuple(SavedLayer(leaf.name, self.stored(leaf.weights)) for leaf in found)

    def stored(self, places: tuple[Place, ...]) -> tuple[Stored, ...]:
        """Data sets. Raises `MisfitError` for those that lie elsewhere."""
        for place in places:
            inside = min(place.shape, default=0) >= 0 and 0 <= place.start <= self._end - place.size
            if not inside or place.dtype not in DTYPES:
                raise MisfitError(f"weight {place.name!r} is not where it says")
        return tuple(Stored(p.name, p.shape, p.kind, DTYPES[p.dtype], self, p) for p in places)  # type: ignore[arg-type]

    def read(self, stored: Stored) -> NDArray[Any]:
        """The numbers of a data set."""
        place: Place = stored.place
        array = np.empty(place.shape, place.numbers)
        with self._lock:
            self._file.seek(place.start)
            self._file.readinto(array.reshape(-1).view(np.uint8).data)
        return array


@dataclass(frozen=True)
class _HandedTree(SavedTree):
    branch: Branch

    def child(self, name: str) -> "SavedTree | None":
        branch = self.branch.children.get(name)
        return None if branch is None else _HandedTree(f"{self.path}/{name}", self.places, branch)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.branch.children)

    @property
    def layer_name(self) -> str | None:
        return self.branch.layer_name

    @cached_property
    def variables(self) -> tuple[Stored, ...]:
        answer: Any = self.places[0][0]
        found: tuple[Stored, ...] = answer.stored(self.branch.variables)
        return found
