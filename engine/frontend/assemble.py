"""From a saved model to a `Network`: translate, connect, build, match weights, verify."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from engine.frontend import layers as _families  # noqa: F401  # fills the table of layers
from engine.frontend.builder import build, state_of
from engine.frontend.dialects import Dialect, dialect_of
from engine.frontend.files import Source, name_of, naming
from engine.frontend.network import LayerInfo, Network, from_logits
from engine.frontend.reading import read_model
from engine.frontend.saved import SavedModel, SavedTree
from engine.frontend.spec import INPUT, LayerSpec, ModelSpec
from engine.frontend.stored_forms import backend_of, use_stored_forms
from engine.frontend.topology import parse_model
from engine.frontend.weights import LayerState, bind, count
from engine.frontend.weights_tree import bind_tree
from engine.ir.ops import Shape
from engine.ir.verify import verify


def open_network(source: Source, arch: Source | None, lambdas: Mapping[str, Callable[..., Any]]) -> Network:
    """Open a model and describe what it holds; no weight is read. Raises `EngineError` naming the source."""
    with ExitStack() as stack:
        saved = read_model(source, arch, stack)
        with naming(name_of(source)):
            return _assemble(saved, lambdas, stack)


def _assemble(saved: SavedModel, lambdas: Mapping[str, Callable[..., Any]], stack: ExitStack) -> Network:
    config = saved.config or {}
    version = saved.keras_version or ("3" if "module" in config else "1")
    dialect = dialect_of(version)
    spec = parse_model(config, dialect)
    model = state_of(LayerSpec(spec.name, spec.class_name, {}, True, spec))
    graph, shapes = build(model, dialect, lambdas)
    _bind(model, saved, dialect)
    verify(graph)
    output_names = tuple(ref.layer for ref in spec.outputs)
    hidden = INPUT if spec.class_name == "Sequential" else ""
    listed = [layer for layer in model.children.values() if layer.spec.class_name != hidden]
    inbound = _inbound(spec)
    return Network(
        graph=graph,
        name=spec.name,
        input_names=spec.inputs,
        output_names=output_names,
        layers=tuple(_info(layer, shapes, graph.shapes, inbound.get(layer.path, ())) for layer in listed),
        from_logits=from_logits(saved.training, output_names),
        keras_version=version,
        format=saved.format,
        _resources=stack.pop_all(),
    )


def _bind(model: LayerState, saved: SavedModel, dialect: Dialect) -> None:
    if isinstance(saved.weights, SavedTree):
        bind_tree(model, saved.weights)
    elif saved.weights is not None:
        use_stored_forms(model, dialect, backend_of(saved.backend, dialect.major, saved.weights))
        bind(list(model.children.values()), saved.weights)


def _info(
    layer: LayerState,
    shapes: Mapping[int, Shape],
    kept: Mapping[int, Shape],
    inbound: tuple[str, ...],
) -> LayerInfo:
    trainable, _ = layer.split()
    everything = list(layer.all_parameters())
    value = layer.first_output
    return LayerInfo(
        name=layer.spec.name,
        class_name=layer.spec.class_name,
        config=layer.spec.config,
        output_shape=shapes.get(value, ()),
        parameters=count(everything),
        trainable_parameters=count(trainable),
        weights=tuple(p.weight for p in everything),
        inbound=inbound,
        value=value if value in kept else -1,
    )


def _inbound(spec: ModelSpec) -> dict[str, tuple[str, ...]]:
    return {call.layer: tuple(ref.layer for ref in call.arguments.refs()) for call in reversed(spec.calls)}
