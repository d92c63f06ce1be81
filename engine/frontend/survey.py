"""What a file holds and which of its layers are supported, all of them, without computing anything."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal, TypeAlias

from engine.errors import EngineError, LimitExceededError, UnsupportedLayerError
from engine.frontend import layers as _families  # noqa: F401  # fills the table of layers
from engine.frontend.architectures import floats
from engine.frontend.assemble import bind_weights, version_of
from engine.frontend.builder import Builder, Made, state_of
from engine.frontend.dialects import dialect_of
from engine.frontend.files import Source, name_of, naming
from engine.frontend.function_nodes import is_operation
from engine.frontend.open_sizes import OpenShape, declared_shapes, input_shape, is_open
from engine.frontend.reading import read_model, read_saved
from engine.frontend.registry import CUSTOM, LAYERS, RUNS_CODE
from engine.frontend.saved import SavedModel
from engine.frontend.spec import INPUT, CallSpec, LayerSpec, ModelSpec
from engine.frontend.topology import parse_model
from engine.frontend.weights import LayerState, count
from engine.ir.graph import Graph
from engine.ir.ops import Shape
from engine.ir.verify import verify

Status: TypeAlias = Literal["supported", "unsupported", "wrong", "unknown", "unused"]

UNKNOWN = (-1,) * 256
"""Values of a layer that could not be built, in place of its outputs."""


@dataclass(frozen=True)
class LayerReport:
    """One layer. `unknown` is one of a supported class whose input could not be made; `wrong` contradicts itself."""

    name: str
    class_name: str
    status: Status
    reason: str
    output_shape: Shape | None
    parameters: int


@dataclass(frozen=True)
class Survey:
    """A file: `missing` is what has to be given beside it, `problems` what is wrong beyond single layers.

    Where sizes of inputs are left open, there are no shapes of layers, and no graph.
    """

    format: str
    keras_version: str
    name: str
    inputs: Mapping[str, OpenShape | None]
    outputs: tuple[str, ...]
    layers: tuple[LayerReport, ...]
    parameters: int
    notes: tuple[str, ...]
    missing: tuple[str, ...]
    problems: tuple[str, ...]
    graph: Graph | None


@dataclass
class Surveyor(Builder):
    """A builder that goes on where a layer cannot be built. `statuses` are by the paths of the layers."""

    statuses: dict[str, tuple[Status, str]] = field(default_factory=dict)

    def note_status(self, path: str, status: Status, reason: str = "") -> None:
        """Keep what was found; of several calls of a layer, the first that failed."""
        if self.statuses.get(path, ("supported", ""))[0] == "supported":
            self.statuses[path] = status, reason

    def _run_call(self, layer: LayerState, call: CallSpec, made: Made) -> tuple[int, ...]:
        values = [made[ref.layer, ref.node][ref.tensor :][:1] for ref in call.arguments.refs()]
        if layer.spec.model is None and UNKNOWN[:1] in values:
            self.note_status(layer.path, *self._by_class(layer.spec, call))
            return UNKNOWN
        try:
            outputs = super()._run_call(layer, call, made)
        except (UnsupportedLayerError, LimitExceededError) as error:
            self.note_status(layer.path, "unsupported", str(error))
            return UNKNOWN
        except EngineError as error:
            self.note_status(layer.path, "wrong", str(error))
            return UNKNOWN
        self.note_status(layer.path, "supported")
        return outputs

    def _by_class(self, spec: LayerSpec, call: CallSpec) -> tuple[Status, str]:
        name = spec.class_name
        known = name in LAYERS or name.rpartition(">")[2] in CUSTOM or is_operation(spec, call.arguments)
        if known or spec.name in self.lambdas:
            return "unknown", "its input is not known"
        reason = "it holds program code, which is never run" if name in RUNS_CODE else "its class is not known"
        return "unsupported", f"{spec.where}: {reason}"


def survey(
    source: Source, arch: Source | None, lambdas: Mapping[str, Callable[..., Any]], sandbox: bool = False
) -> Survey:
    """Everything about a file. Raises `EngineError` only where its description or its format cannot be read."""
    if sandbox:
        return _in_sandbox(source, arch, lambdas)
    with ExitStack() as stack, naming(name_of(source)):
        if arch is not None:
            return _survey(read_model(source, arch, stack), lambdas)
        return _survey(read_saved(source, stack), lambdas)


def _in_sandbox(source: Source, arch: Source | None, lambdas: Mapping[str, Callable[..., Any]]) -> Survey:
    from engine.frontend.sandbox import read_in_sandbox

    with ExitStack() as stack:
        saved = read_in_sandbox(source, arch, stack, build=False, whole=arch is not None)
        with naming(name_of(source)):
            return _survey(saved, lambdas)


def _survey(saved: SavedModel, lambdas: Mapping[str, Callable[..., Any]]) -> Survey:
    if saved.config is None:
        missing = ("the architecture: give it with --arch, as a file or a name of keras.applications",)
        parameters = sum(prod(item.shape) for item in floats(saved.weights or ()))
        return Survey(saved.format, saved.keras_version, "", {}, (), (), parameters, (), missing, (), None)
    version = version_of(saved)
    dialect = dialect_of(version)
    spec = parse_model(saved.config, dialect)
    model = state_of(LayerSpec(spec.name, spec.class_name, {}, True, spec))
    surveyor = Surveyor(dialect, lambdas=lambdas)
    declared = _declared(spec)
    sized = not is_open([shape for shape in declared if shape is not None])
    inputs = [_input(surveyor, model.children[name]) for name in spec.inputs]
    outputs = surveyor.run_model(model, inputs)
    problems, graph = [], None
    if all(status == "supported" for status, _ in surveyor.statuses.values()):
        try:
            graph = surveyor.graph(inputs, outputs)
            verify(graph)
            bind_weights(model, saved, dialect)
        except EngineError as error:
            problems.append(str(error))
    return Survey(
        format=saved.format,
        keras_version=version,
        name=spec.name,
        inputs=dict(zip(spec.inputs, declared, strict=True)),
        outputs=tuple(ref.layer for ref in spec.outputs),
        layers=tuple(_reports(model, surveyor.statuses, surveyor.shapes if sized else {})),
        parameters=count(list(model.all_parameters())),
        notes=tuple(_notes(spec)),
        missing=() if saved.weights is not None else ("the weights",),
        problems=tuple(problems),
        graph=graph if sized else None,
    )


def _declared(spec: ModelSpec) -> Sequence[OpenShape | None]:
    try:
        return declared_shapes(spec)
    except EngineError:
        return [None] * len(spec.inputs)


def _input(surveyor: Surveyor, layer: LayerState) -> int:
    try:
        value = surveyor.value(input_shape(layer.spec))
    except EngineError as error:
        wrong = not isinstance(error, UnsupportedLayerError | LimitExceededError)
        surveyor.note_status(layer.path, "wrong" if wrong else "unsupported", str(error))
        return UNKNOWN[0]
    surveyor.note_status(layer.path, "supported")
    return value


def _reports(
    model: LayerState, statuses: Mapping[str, tuple[Status, str]], shapes: Mapping[int, Shape]
) -> Iterator[LayerReport]:
    for layer in model.children.values():
        unseen: Status = "supported" if layer.spec.class_name == INPUT else "unused"
        status, reason = statuses.get(layer.path, (unseen, ""))
        if layer.spec.model is None or status in ("unsupported", "wrong"):
            shape = shapes.get(layer.first_output)
            parameters = count(list(layer.all_parameters()))
            yield LayerReport(layer.path, layer.spec.class_name, status, reason, shape, parameters)
        if layer.spec.model is not None:
            yield from _reports(layer, statuses, shapes)


def _notes(spec: ModelSpec) -> Iterator[str]:
    found = Counter(name for name in _dtypes(spec) if name not in (None, "float32"))
    for name, layers in found.items():
        yield f"{layers} layers are written for {name}; all numbers are computed in float32"


def _dtypes(spec: ModelSpec) -> Iterator[str | None]:
    for layer in spec.layers:
        dtype = layer.config.get("dtype")
        inner = dtype.get("config") if isinstance(dtype, dict) else None
        name = inner.get("name", inner.get("mode")) if isinstance(inner, dict) else dtype
        yield name if isinstance(name, str) else None
        if layer.model is not None:
            yield from _dtypes(layer.model)
