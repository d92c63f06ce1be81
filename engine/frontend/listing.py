"""The layers of a model as Keras lists them."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from engine.frontend.network import LayerInfo
from engine.frontend.open_sizes import OpenShape
from engine.frontend.spec import INPUT, ModelSpec
from engine.frontend.weights import LayerState, count

ShapeOf: TypeAlias = Callable[[LayerState, LayerState], OpenShape]


def listed(
    model: LayerState, twin: LayerState, shape_of: ShapeOf, kept: Collection[int], only: Collection[str] | None = None
) -> tuple[LayerInfo, ...]:
    """The layers of a model, those named in `only` where it is given. A Sequential model hides its input.

    `twin` is the model built for other sizes, `shape_of` the shape of a layer that the two agree on; `kept` are the
    values of the graph.
    """
    spec = model.spec.model
    assert spec is not None
    hidden = INPUT if spec.class_name == "Sequential" else ""
    inbound = _inbound(spec)
    return tuple(
        _info(layer, twin.children[name], shape_of, kept, inbound)
        for name, layer in model.children.items()
        if layer.spec.class_name != hidden and (only is None or name in only)
    )


def _info(
    layer: LayerState,
    twin: LayerState,
    shape_of: ShapeOf,
    kept: Collection[int],
    inbound: Mapping[str, tuple[str, ...]],
) -> LayerInfo:
    trainable, _ = layer.split()
    everything = list(layer.all_parameters())
    value = layer.first_output
    return LayerInfo(
        name=layer.spec.name,
        path=layer.path,
        class_name=layer.spec.class_name,
        config=layer.spec.config,
        output_shape=shape_of(layer, twin),
        parameters=count(everything),
        trainable_parameters=count(trainable),
        weights=tuple(p.weight for p in everything),
        inbound=inbound.get(layer.spec.name, ()),
        value=value if value in kept else -1,
        layers=listed(layer, twin, shape_of, kept) if layer.spec.model is not None else (),
    )


def _inbound(spec: ModelSpec) -> dict[str, tuple[str, ...]]:
    return {call.layer: tuple(ref.layer for ref in call.arguments.refs()) for call in reversed(spec.calls)}
