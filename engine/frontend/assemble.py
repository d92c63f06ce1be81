"""From a saved model to a `Network`: translate, connect, build, match weights, verify."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from engine.errors import LimitExceededError
from engine.frontend import layers as _families  # noqa: F401  # fills the table of layers
from engine.frontend.builder import build, state_of
from engine.frontend.dialects import Dialect, dialect_of
from engine.frontend.files import Source, name_of, naming
from engine.frontend.h5 import MAX_RATIO
from engine.frontend.listing import listed
from engine.frontend.network import Network, loss_of
from engine.frontend.open_sizes import OpenShape, check_fit, common, declared_shapes, is_open, tried
from engine.frontend.parts import layers_on_the_way, parts_of
from engine.frontend.quantised import use_quantised_forms
from engine.frontend.reading import read_model
from engine.frontend.registry import CUSTOM
from engine.frontend.saved import SavedLayers, SavedModel, SavedTree
from engine.frontend.spec import LayerSpec
from engine.frontend.stored_forms import backend_of, use_stored_forms
from engine.frontend.topology import parse_model
from engine.frontend.weights import LayerState, bind, count
from engine.frontend.weights_tree import bind_tree
from engine.ir.graph import Graph
from engine.ir.ops import Shape
from engine.ir.verify import verify


@dataclass(frozen=True)
class Built:
    """A graph made for one set of input shapes. Two of them tell which sizes depend on those."""

    model: LayerState
    graph: Graph
    shapes: Mapping[int, Shape]

    def output_shapes(self, other: "Built") -> tuple[OpenShape, ...]:
        """The shapes of the outputs, None where the two differ."""
        pairs = zip(self.graph.outputs, other.graph.outputs, strict=True)
        return tuple(common(self.graph.shapes[a], other.graph.shapes[b]) for a, b in pairs)

    def shape_of(self, layer: LayerState, twin: LayerState, other: "Built") -> OpenShape:
        """The shape of the first result of a layer, which is `twin` in the other one; None where the two differ."""
        return common(self.shapes.get(layer.first_output, ()), other.shapes.get(twin.first_output, ()))


def open_network(
    source: Source,
    arch: Source | None,
    lambdas: Mapping[str, Callable[..., Any]],
    shapes: Sequence[Shape] | None,
    outputs: Sequence[str] | None = None,
    sandbox: bool = False,
) -> Network:
    """Open a model and describe what it holds; no weight is read. Raises `EngineError` naming the source."""
    with ExitStack() as stack:
        saved = _read(source, arch, stack, not lambdas and not CUSTOM) if sandbox else read_model(source, arch, stack)
        with naming(name_of(source)):
            return _assemble(saved, lambdas, shapes, outputs, stack)


def _read(source: Source, arch: Source | None, stack: ExitStack, build: bool) -> SavedModel:
    from engine.frontend.sandbox import read_in_sandbox

    return read_in_sandbox(source, arch, stack, build=build)


def try_out(saved: SavedModel) -> None:
    """Build a model and match its weights, for nothing. Raises what opening it would."""
    _assemble(saved, {}, None, None, ExitStack())


def _assemble(
    saved: SavedModel,
    lambdas: Mapping[str, Callable[..., Any]],
    given: Sequence[Shape] | None,
    outputs: Sequence[str] | None,
    stack: ExitStack,
) -> Network:
    config = saved.config or {}
    version = version_of(saved)
    dialect = dialect_of(version)
    spec = parse_model(config, dialect)
    declared = declared_shapes(spec)
    if given is not None:
        check_fit(spec.inputs, declared, given)

    def built(shapes: Sequence[Shape]) -> Built:
        model = state_of(LayerSpec(spec.name, spec.class_name, {}, True, spec))
        return Built(model, *build(model, dialect, lambdas, shapes, outputs))

    this = built(given or tried(declared, 0))
    other = built(tried(declared, 1)) if given is None and is_open(declared) else this
    model, graph = this.model, this.graph
    bind_weights(model, saved, dialect)
    verify(graph)
    parts = parts_of(model, outputs or ())
    output_names = tuple(ref.layer for ref in spec.outputs)
    only = layers_on_the_way(spec, parts) if parts else None
    loss, from_logits = ("", False) if parts else loss_of(saved.training, output_names)
    return Network(
        graph=graph,
        name=spec.name,
        input_names=spec.inputs,
        output_names=tuple(part.name for part in parts for _ in part.values) or output_names,
        output_keys=None if parts else spec.output_keys,
        input_shapes=declared,
        input_dtypes=tuple(_dtype(model.children[name].spec) for name in spec.inputs),
        output_shapes=this.output_shapes(other),
        layers=listed(model, other.model, lambda layer, twin: this.shape_of(layer, twin, other), graph.shapes, only),
        loss=loss,
        from_logits=from_logits,
        keras_version=version,
        format=saved.format,
        metadata=saved.metadata,
        _resources=stack.pop_all(),
    )


def version_of(saved: SavedModel) -> str:
    """The version that a model says it is of; those that do not say it are told by their words."""
    return saved.keras_version or ("3" if "module" in (saved.config or {}) else "1")


def bind_weights(model: LayerState, saved: SavedModel, dialect: Dialect) -> None:
    """Give every weight of a model its saved data. Raises `ModelFileError` where they do not fit.

    Raises `LimitExceededError` where a model asks for more numbers than its file can hold, whatever is in it.
    """
    if saved.weights is not None:
        _check_room(model, saved.weights)
    if isinstance(saved.weights, SavedTree):
        use_quantised_forms(model)
        bind_tree(model, saved.weights)
    elif saved.weights is not None:
        use_stored_forms(model, dialect, backend_of(saved.backend, dialect.major, saved.weights))
        bind(list(model.children.values()), saved.weights)


def _check_room(model: LayerState, weights: SavedLayers | SavedTree) -> None:
    if isinstance(weights, SavedTree):
        archives = {archive for archive, _ in weights.places}
    else:
        archives = {stored.archive for layer in weights for stored in layer.weights}
    wanted, most = count(list(model.all_parameters())), MAX_RATIO * sum(archive.size for archive in archives)
    if archives and wanted > most:
        layer = max(model.children.values(), key=lambda child: count(list(child.all_parameters())))
        raise LimitExceededError(f"it asks for {wanted} weights, most in {layer.where}; its file can hold {most}")


def _dtype(layer: LayerSpec) -> str:
    dtype = layer.config.get("dtype")
    return dtype if isinstance(dtype, str) else "float32"
