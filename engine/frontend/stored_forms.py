"""Weights as older Kerases stored them: other axes, each gate by itself, kernels turned round.

A layer's weights are replaced by those that its file holds, and computed from them when they are read. Sources:
Keras 1.2.2, and `preprocess_weights_for_loading` of Keras 2.3.1.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.frontend.dialects import Dialect
from engine.frontend.saved import SavedLayers
from engine.frontend.weights import Computed, LayerState, Parameter
from engine.ir.ops import Shape

_TURNED = frozenset({"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTMCell", "Deconvolution2D"})
_GATES = {"LSTMCell": "icfo", "ConvLSTMCell": "icfo", "GRUCell": "zrh"}
"""The gates of a cell, in the order in which Keras 1 stores them."""
_JOINED = "ifcozrh"
"""The order in which we have them."""


def backend_of(written: str, major: int, weights: SavedLayers) -> str:
    """The backend that wrote the weights. Keras 1 does not say it, but TensorFlow's names end with ":0"."""
    if written or major != 1:
        return written
    names = [stored.name for layer in weights for stored in layer.weights]
    return "tensorflow" if any(name.endswith(":0") for name in names) else "theano"


def use_stored_forms(layer: LayerState, dialect: Dialect, backend: str, outer: LayerState | None = None) -> None:
    """Let a layer, and the layers inside it, ask for their weights in the form that the file has."""
    for child in layer.children.values():
        use_stored_forms(child, dialect, backend, layer)
    class_name = layer.spec.class_name
    holder = outer if outer is not None and class_name.endswith("Cell") else layer
    if class_name in _TURNED and backend == "theano":
        _turn_round(layer, "kernel")
        _turn_round(layer, "recurrent_kernel")
    if dialect.major > 1:
        return
    if class_name in _GATES and holder.spec.config.get("implementation") != 2:
        _split_gates(layer, _GATES[class_name])
    if class_name == "Conv1D":
        _widen(layer, "kernel")
    orders = _orders(class_name, holder.spec.config.get("data_format") == "channels_first")
    for key in layer.parameters:
        if (order := orders.get(key.split(" ")[0])) is not None:
            _transpose(layer, key, order)


def _orders(class_name: str, first: bool) -> dict[str, Sequence[int]]:
    """For each weight whose axes stand in another order: where those of the file stand in ours."""
    if class_name == "Deconvolution2D":
        return {"kernel": (2, 3, 0, 1) if first else (0, 1, 3, 2)}
    if not first:
        return {}
    if class_name == "Conv3D":
        return {"kernel": (2, 3, 4, 1, 0)}
    if class_name in ("Conv2D", "SeparableConv2D", "ConvLSTMCell"):
        names = ("kernel", "recurrent_kernel", "depthwise_kernel", "pointwise_kernel")
        return dict.fromkeys(names, (2, 3, 1, 0))
    return {}


def _replace(layer: LayerState, key: str, shape: Shape, convert: Callable[[Any], Any]) -> None:
    """Ask for a weight in another shape; `convert` makes ours of it."""
    ours = layer.parameters[key]
    stored = Parameter(ours.weight.name, shape, ours.trainable, ours.integer)
    ours.stored = Computed(lambda: convert(stored.read()))
    layer.parameters[key] = stored


def _turn_round(layer: LayerState, key: str) -> None:
    """Theano convolves where TensorFlow correlates: its kernels stand the other way round."""
    if key in layer.parameters:
        shape = layer.parameters[key].weight.shape
        _replace(layer, key, shape, lambda kernel: np.flip(kernel, tuple(range(len(shape) - 2))))


def _split_gates(layer: LayerState, gates: str) -> None:
    whole = dict(layer.parameters)
    layer.parameters = {
        f"{key} {gate}": Parameter(
            f"{p.weight.name}_{gate}", (*p.weight.shape[:-1], p.weight.shape[-1] // len(gates)), p.trainable, p.integer
        )
        for gate in gates
        for key, p in whole.items()
    }
    for key, parameter in whole.items():
        parts = [layer.parameters[f"{key} {gate}"] for gate in sorted(gates, key=_JOINED.index)]
        parameter.stored = _joined(parts)


def _joined(parts: Sequence[Parameter]) -> Computed:
    return Computed(lambda: np.concatenate([part.read() for part in parts], -1))


def _transpose(layer: LayerState, key: str, order: Sequence[int]) -> None:
    ours = layer.parameters[key].weight.shape
    shape = tuple(ours[order.index(axis)] for axis in range(len(order)))
    _replace(layer, key, shape, lambda kernel: np.transpose(kernel, order))


def _widen(layer: LayerState, key: str) -> None:
    """A kernel over one axis is (k, 1, c, f); before Keras 1.2 it was (f, c, k, 1)."""
    k, c, f = layer.parameters[key].weight.shape
    _replace(layer, key, (k, 1, c, f), lambda kernel: kernel.reshape(k, c, f))
    layer.parameters[key].otherwise = {(f, c, k, 1): (2, 3, 1, 0)}
