"""Weights that Keras 3 has quantised: whole numbers of 8 or 4 bits and their scales, made float when they are read.

Keras rounds the inputs of its int8 layers too; here they stay as they are, so results are nearer to those of the
model before it was quantised. Source: Keras 3.15, `Dense` and `Embedding`, and `unpack_int4`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelFileError
from engine.frontend.saved import is_number
from engine.frontend.weights import Computed, LayerState, Parameter

TABLES = {"Dense": "kernel", "Embedding": "embeddings"}
"""The classes whose quantised weights are read, and the weight that is a matrix of whole numbers."""


def mode_of(config: Mapping[str, Any]) -> str | None:
    """How a layer is quantised: `int8`, or `int4/128` with the size of a group, −1 for none. None where it is not."""
    dtype = config.get("dtype")
    inner = dtype.get("config") if isinstance(dtype, dict) else None
    mode = inner.get("mode") if isinstance(inner, dict) else None
    return mode if isinstance(mode, str) else None


def is_read(class_name: str, mode: str) -> bool:
    """Whether such weights are made float here."""
    bits, _, group = mode.partition("/")
    return class_name in TABLES and bits in ("int8", "int4") and (not group or is_number(group.removeprefix("-")))


def use_quantised_forms(layer: LayerState) -> None:
    """Let quantised layers ask for whole numbers, scales and what else the file has for them."""
    for child in layer.children.values():
        use_quantised_forms(child)
    mode = mode_of(layer.spec.config)
    if mode is None or layer.spec.class_name not in TABLES:
        return
    key, by_row = TABLES[layer.spec.class_name], layer.spec.class_name == "Embedding"
    ours = layer.parameters[key]
    rows, columns = ours.weight.shape
    packed, group = mode.startswith("int4"), int(mode.partition("/")[2] or -1)
    name, size, other = ours.weight.name, *((columns, rows) if by_row else (rows, columns))
    groups = -(-size // group) if group > 0 else 0
    shape = ((other, groups) if by_row else (groups, other)) if groups else (other,)
    layer.parameters[key] = whole = Parameter(name, (rows, (columns + 1) // 2 if packed else columns), True, True)
    scale = layer.parameters[f"{key}_scale"] = Parameter(f"{name}_scale", shape, False, False)
    axis = 1 if by_row else 0

    def numbers() -> NDArray[Any]:
        return unpacked(whole.read(), columns) if packed else whole.read()

    if not groups:
        ours.stored = Computed(lambda: numbers() / np.expand_dims(scale.read().astype(np.float64), axis))
        return
    zero = layer.parameters[f"{key}_zero"] = Parameter(f"{name}_zero", shape, False, True)
    places = layer.parameters["g_idx"] = Parameter(f"{name}_g_idx", (size,), False, False)

    def read() -> NDArray[Any]:
        index = places.read().astype(np.int64)
        if size and not 0 <= index.min() <= index.max() < groups:
            raise ModelFileError(f"{layer.where}: its g_idx numbers groups that do not exist")
        zeros, scales = (np.take(p.read().astype(np.float64), index, axis) for p in (zero, scale))
        result: NDArray[Any] = (numbers() - zeros) * scales
        return result

    ours.stored = Computed(read)


def unpacked(pairs: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Signed numbers of 4 bits, two in each of the given numbers of 8 along the last axis, the lower one first."""
    wide = pairs.astype(np.int64)
    halves = np.stack([wide & 15, (wide >> 4) & 15], -1).reshape(*wide.shape[:-1], -1)[..., :count]
    result: NDArray[np.int64] = (halves ^ 8) - 8
    return result
