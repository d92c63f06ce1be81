"""Weights saved as a tree of layers, matched to the layers of a model.

Keras 3 names a layer's group by its class in snake case and, from the second of a class on, a number; what a layer
holds lies in groups named after its attributes. In Keras 2.11 to 2.13 the numbers have gaps.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from engine.errors import ModelFileError
from engine.frontend.saved import SavedTree, is_number
from engine.frontend.weights import LayerState, bind_parameters

Match: TypeAlias = tuple[LayerState, SavedTree | None]

MAX_DEPTH = 64
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")


def bind_tree(layer: LayerState, group: SavedTree, depth: int = 0) -> None:
    """Give every weight of a layer, which may be a model, its saved data. Raises `ModelFileError` for a misfit."""
    if depth > MAX_DEPTH:
        raise ModelFileError(f"its weights are nested more than {MAX_DEPTH} deep")
    for child, found in _matches(layer, group):
        if next(child.all_parameters(), None) is None:
            continue
        if found is None:
            raise ModelFileError(f"{child.where}: its weights are missing from {group.path or 'the file'}")
        bind_tree(child, found, depth + 1)
    if layer.parameters:
        own = layer.parameters.values()
        ordered = [*(p for p in own if p.trainable), *(p for p in own if not p.trainable)]
        bind_parameters(layer.where, ordered, group.variables)


def _matches(layer: LayerState, group: SavedTree) -> Iterable[Match]:
    """The layers inside a layer, each with its group. cuDNN's layers have no cell: its weights are their own."""
    children = layer.children
    if layer.spec.model is None and not any(name.startswith("cells/") for name in children):
        return [(child, _attribute(group, name)) for name, child in children.items()]
    container = next((found for name in (*CONTAINERS, "cells") if (found := group.child(name))), None)
    if container is None:
        return [(child, None) for child in children.values()]
    return _by_class(container, list(children.values()))


def _attribute(group: SavedTree, name: str) -> SavedTree | None:
    """The group of a layer's attribute, which is private in Keras 2."""
    return group.child(name) or group.child(f"_{name}") or (group if name == "cell" else None)


def _by_class(container: SavedTree, layers: Sequence[LayerState]) -> list[Match]:
    order = _listed if container.path.endswith(CONTAINERS[1]) else _counted
    matches = order(container, layers)
    lost = [layer for layer, found in matches if found is None and next(layer.all_parameters(), None) is not None]
    if not lost:
        return matches
    groups = [group for name in container.names if (group := container.child(name))]
    named = {name: group for group in groups if (name := group.layer_name)}
    return [(layer, named.get(layer.spec.name)) for layer in layers] if named else matches


def _counted(container: SavedTree, layers: Sequence[LayerState]) -> list[Match]:
    counts: Counter[str] = Counter()
    matches: list[Match] = []
    for layer in layers:
        base = snake_case(layer.spec.saved_as)
        matches.append((layer, container.child(f"{base}_{counts[base]}" if counts[base] else base)))
        counts[base] += 1
    return matches


def _listed(container: SavedTree, layers: Sequence[LayerState]) -> list[Match]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for name in container.names:
        base, _, number = name.rpartition("_")
        counted = bool(base) and is_number(number)
        numbers[base if counted else name].append(int(number) if counted else 0)
    groups = {base: iter(sorted(found)) for base, found in numbers.items()}
    matches: list[Match] = []
    for layer in layers:
        base = snake_case(layer.spec.saved_as)
        index = next(groups.get(base, iter(())), None)
        found = None if index is None else container.child(f"{base}_{index}" if index else base)
        matches.append((layer, found))
    return matches


def snake_case(name: str) -> str:
    """`SeparableConv2D` → `separable_conv2d`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
