"""A model ready to be measured."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError, InputError
from engine.frontend import Network, Source, name_of, open_model
from engine.frontend.open_sizes import OpenShape, is_open, shown
from engine.ir.graph import Graph
from engine.ir.ops import Shape
from engine.measure.numbers import scattered
from engine.model import Model, load_model
from engine.runtime.session import FallbackSession, Session
from engine.runtime.tuning import Memory


def require_sizes(name: str, found: Sequence[OpenShape], given: Sequence[Shape]) -> None:
    """Raise `InputError` where the model leaves sizes open that nobody has given."""
    if not given and is_open(found):
        raise InputError(f"{name}: expected sizes for the open ones of {', '.join(map(shown, found))}, found none")


def opened(source: Source, arch: Source | None, shapes: Sequence[Shape]) -> Network:
    """The model's file, with `shapes` for inputs whose sizes it leaves open. Raises `InputError` where they miss."""
    network = open_model(source, arch, None, shapes or None)
    try:
        require_sizes(name_of(source), network.input_shapes, shapes)
    except InputError:
        network.close()
        raise
    return network


@dataclass(frozen=True)
class Loaded:
    """A model, the session that computes `inputs`, and the seconds that loading took."""

    source: Source
    arch: Source | None
    model: Model
    session: Session
    inputs: list[NDArray[np.float32]]
    seconds: float

    @property
    def name(self) -> str:
        """The file's."""
        return self.model.path

    def call(self) -> object:
        """One call of the model, as users make it."""
        return self.model(self.inputs if len(self.inputs) > 1 else self.inputs[0])

    def graph(self) -> Graph:
        """The graph before all passes, whose weights cannot be read."""
        with opened(self.source, self.arch, [x.shape[1:] for x in self.inputs]) as network:
            return network.graph


def load(
    source: Source,
    arch: Source | None,
    batch: int,
    threads: int | None,
    shapes: Sequence[Shape] = (),
    memory: Memory = "normal",
) -> Loaded:
    """The model and inputs for `batch` examples. `shapes` are needed for open sizes only.

    Raises `EngineError` where there is nothing to measure.
    """
    start = time.perf_counter()
    model = load_model(source, arch=arch, threads=threads, memory=memory)
    declared = [info.shape[1:] for info in model.inputs]
    require_sizes(model.path, declared, shapes)
    sizes = shapes or [tuple(size or 0 for size in shape) for shape in declared]
    inputs = [scattered((batch, *size)) for size in sizes]
    session = model.session(inputs)
    seconds = time.perf_counter() - start
    if isinstance(session, FallbackSession):
        raise EngineError(f"{model.path}: this machine runs no compiled kernels whose time could be measured")
    if not isinstance(session, Session):
        raise EngineError(f"{model.path}: a model with functions in Python cannot be measured step by step")
    if not session.program.steps:
        raise EngineError(f"{model.path}: there is nothing to measure in a model that computes nothing")
    return Loaded(source, arch, model, session, inputs, seconds)
