"""The connections of a Functional model: which call feeds which, checked, sorted into an order that runs."""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from engine.errors import ModelFileError
from engine.frontend.dialects import Dialect
from engine.frontend.inbound import parse_node, parse_tensors
from engine.frontend.spec import INPUT, Arguments, CallSpec, LayerSpec, Ref, map_refs

Key: TypeAlias = tuple[str, int]
Calls: TypeAlias = dict[Key, Arguments]


def connect(
    config: Mapping[str, Any], layers: Sequence[LayerSpec], dialect: Dialect
) -> tuple[tuple[str, ...], tuple[Ref, ...], tuple[CallSpec, ...]]:
    """Names of the input layers, the outputs, and the calls in order. Raises `ModelFileError` for a broken graph."""
    inputs = _inputs(config, layers)
    outputs = parse_tensors(config.get("output_layers"), "output_layers")
    calls = _parse_calls(config, layers)
    counts = {layer.name: 0 for layer in layers} | dict.fromkeys(inputs, 1)
    for name, _ in calls:
        counts[name] += 1
    models = [layer for layer in layers if layer.model is not None]
    shifts = _shifts(models, [r for a in calls.values() for r in a.refs()], counts, dialect.first_call_of_model)
    calls = {key: _shifted(arguments, shifts) for key, arguments in calls.items()}
    shifts = _shifts(models, outputs, counts, dialect.first_output_of_model)
    outputs = tuple(_shift(ref, shifts) for ref in outputs)
    for ref in (*(r for a in calls.values() for r in a.refs()), *outputs):
        if not 0 <= ref.node < counts.get(ref.layer, 0):
            raise ModelFileError(f"its graph uses call {ref.node} of layer {ref.layer!r}, which does not exist")
    order = _order(calls, [(name, 0) for name in inputs])
    return inputs, outputs, tuple(CallSpec(*key, calls[key]) for key in order)


def _inputs(config: Mapping[str, Any], layers: Sequence[LayerSpec]) -> tuple[str, ...]:
    known = {layer.name for layer in layers if layer.class_name == INPUT}
    names = tuple(ref.layer for ref in parse_tensors(config.get("input_layers"), "input_layers"))
    for name in names:
        if name not in known:
            raise ModelFileError(f"its input {name!r} is not an input layer")
    if len(set(names)) < len(names):
        raise ModelFileError("one of its inputs is listed twice")
    return names


def _parse_calls(config: Mapping[str, Any], layers: Sequence[LayerSpec]) -> Calls:
    calls = {}
    for layer, data in zip(layers, config["layers"], strict=True):
        nodes = data.get("inbound_nodes", [])
        if not isinstance(nodes, list) or (nodes and layer.class_name == INPUT):
            raise ModelFileError(f"{layer.where}: its inbound_nodes are not understood")
        for node, entry in enumerate(nodes):
            calls[layer.name, node] = parse_node(entry, layer.name)
    return calls


def _shifts(
    models: Iterable[LayerSpec], refs: Collection[Ref], counts: Mapping[str, int], usual: int
) -> dict[str, int]:
    """By how much the call numbers of each nested model are too high.

    Keras counts a nested model's own construction as a call in some versions and places and not in others. All calls
    of a saved model are used, so the numbers in use tell; `usual` decides where they do not.
    """
    used = defaultdict(set)
    for ref in refs:
        used[ref.layer].add(ref.node)
    found = {}
    for layer in models:
        numbers = used[layer.name]
        found[layer.name] = 0 if 0 in numbers else 1 if counts[layer.name] in numbers else usual
    return found


def _shift(ref: Ref, shifts: Mapping[str, int]) -> Ref:
    return replace(ref, node=ref.node - shifts.get(ref.layer, 0))


def _shifted(arguments: Arguments, shifts: Mapping[str, int]) -> Arguments:
    args, kwargs = map_refs((arguments.args, dict(arguments.kwargs)), lambda ref: _shift(ref, shifts))
    return Arguments(args, kwargs)


def _order(calls: Calls, inputs: Iterable[Key]) -> list[Key]:
    """The calls such that each comes after those that feed it."""
    waiting: dict[Key, int] = {}
    readers: dict[Key, list[Key]] = defaultdict(list)
    for key, arguments in calls.items():
        feeding = {(ref.layer, ref.node) for ref in arguments.refs()}
        waiting[key] = len(feeding)
        for source in feeding:
            readers[source].append(key)
    ready = deque([*inputs, *(key for key, count in waiting.items() if count == 0)])
    order = []
    while ready:
        key = ready.popleft()
        if key in calls:
            order.append(key)
        for reader in readers[key]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                ready.append(reader)
    if len(order) < len(calls):
        stuck = next(key for key in calls if waiting[key])
        raise ModelFileError(f"its graph has a cycle through or before layer {stuck[0]!r}")
    return order
