"""Weights that Keras 3 has quantised: whole numbers of 8 or 4 bits and their scales, made float when they are read.

Keras rounds the inputs of its int8 layers too, and inputs and kernels of its float8 layers; here they stay as they are,
so results are nearer to those of the model before it was quantised. Source: Keras 3.15, `Dense`, `EinsumDense` and
`Embedding`, `unpack_int4` and `dequantize_with_sz_map`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelFileError
from engine.frontend.saved import is_number
from engine.frontend.weights import Computed, LayerState, Parameter
from engine.ir.ops import Shape

TABLES = {"Dense": "kernel", "EinsumDense": "kernel", "Embedding": "embeddings"}
"""The classes whose quantised weights are read, and the weight that is a matrix of whole numbers."""
_MODES = {
    "Dense": ("int8", "int4", "float8", "gptq", "awq"),
    "EinsumDense": ("int8", "int4", "float8"),
    "Embedding": ("int8", "int4"),
}
_HISTORY = 1024


def mode_of(config: Mapping[str, Any]) -> str | None:
    """How a layer is quantised: `int8`, `int4/128` with the size of a group, `gptq/4/128` with the bits before it.

    A group of −1 is the whole. None where the layer is not quantised.
    """
    dtype = config.get("dtype")
    inner = dtype.get("config") if isinstance(dtype, dict) else None
    mode = inner.get("mode") if isinstance(inner, dict) else None
    return mode if isinstance(mode, str) else None


def is_read(class_name: str, mode: str) -> bool:
    """Whether such weights are made float here."""
    kind, *numbers = mode.split("/")
    sound = all(is_number(number.removeprefix("-")) for number in numbers)
    count = {"int4": (0, 1), "gptq": (2,), "awq": (2,)}.get(kind, (0,))
    return kind in _MODES.get(class_name, ()) and sound and len(numbers) in count


def use_quantised_forms(layer: LayerState) -> None:
    """Let quantised layers ask for whole numbers, scales and what else the file has for them."""
    for child in layer.children.values():
        use_quantised_forms(child)
    mode, class_name = mode_of(layer.spec.config), layer.spec.class_name
    if mode is None or TABLES.get(class_name) not in layer.parameters:
        return
    kind, *numbers = mode.split("/")
    group = int(numbers[-1]) if numbers else -1
    if kind == "float8":
        _more_of_float8(layer)
    elif kind in ("gptq", "awq"):
        _turned(layer, kind, int(numbers[0]), group)
    elif class_name == "EinsumDense" and kind == "int8":
        _by_letters(layer)
    else:
        _by_matrix(layer, kind == "int4", group)


def _ask(layer: LayerState, key: str, shape: Shape, integer: bool = False) -> Parameter:
    """A further weight that the file has for the layer, after the others."""
    name = f"{layer.path}/{key}"
    layer.parameters[key] = Parameter(name, shape, False, integer)
    return layer.parameters[key]


def _more_of_float8(layer: LayerState) -> None:
    """The kernel stays float; what follows it serves training."""
    inner = layer.spec.config["dtype"]["config"]
    length = inner.get("amax_history_length", _HISTORY)
    for key in ("inputs", "kernel", "outputs_grad"):
        _ask(layer, f"{key}_scale", ())
        _ask(layer, f"{key}_amax_history", (length if isinstance(length, int) and length > 0 else _HISTORY,))


def _by_letters(layer: LayerState) -> None:
    """A kernel of any axes; its scales stand as the axes of the result do."""
    ours = layer.parameters["kernel"]
    _, kernel, result = str(layer.spec.config["equation"]).replace("->", ",").replace("...", "").split(",")
    sizes = dict(zip(kernel, ours.weight.shape, strict=True))
    layer.parameters["kernel"] = whole = Parameter(ours.weight.name, ours.weight.shape, True, True)
    scale = _ask(layer, "kernel_scale", tuple(sizes.get(letter, 1) for letter in result))
    kept = [letter for letter in result if letter in sizes]
    order = [kept.index(letter) for letter in kernel if letter in kept]
    wide = tuple(sizes[letter] if letter in kept else 1 for letter in kernel)

    def read() -> NDArray[Any]:
        scales = scale.read().astype(np.float64).reshape([sizes[letter] for letter in kept])
        divided: NDArray[Any] = whole.read() / scales.transpose(order).reshape(wide)
        return divided

    ours.stored = Computed(read)


def _by_matrix(layer: LayerState, packed: bool, group: int) -> None:
    """A matrix of which each column, or each row of a table, has a scale, perhaps for each group of its numbers."""
    key, by_row = TABLES[layer.spec.class_name], layer.spec.class_name == "Embedding"
    ours = layer.parameters[key]
    rows, columns = _flat(layer, ours.weight.shape)
    size, other = (columns, rows) if by_row else (rows, columns)
    groups = -(-size // group) if group > 0 else 0
    shape = ((other, groups) if by_row else (groups, other)) if groups else (other,)
    stored = (rows, (columns + 1) // 2 if packed else columns)
    layer.parameters[key] = whole = Parameter(ours.weight.name, stored, True, True)
    scale = _ask(layer, f"{key}_scale", shape)
    axis = 1 if by_row else 0

    def numbers() -> NDArray[Any]:
        return unpacked(whole.read(), columns) if packed else whole.read()

    if not groups:
        ours.stored = Computed(
            lambda: (numbers() / np.expand_dims(scale.read().astype(np.float64), axis)).reshape(ours.weight.shape)
        )
        return
    zero, places = _ask(layer, f"{key}_zero", shape, True), _ask(layer, "g_idx", (size,))
    ours.stored = Computed(lambda: _by_group(layer, numbers(), scale, zero, places, axis).reshape(ours.weight.shape))


def _flat(layer: LayerState, shape: Shape) -> tuple[int, int]:
    """Rows and columns of a kernel: the axes that are summed, and the others."""
    if layer.spec.class_name != "EinsumDense":
        return shape[0], shape[1]
    given, kernel, result = str(layer.spec.config["equation"]).replace("->", ",").replace("...", "").split(",")
    rows = columns = 1
    for letter, size in zip(kernel, shape, strict=True):
        if letter in given and letter not in result:
            rows *= size
        else:
            columns *= size
    return rows, columns


def _turned(layer: LayerState, kind: str, bits: int, group: int) -> None:
    """Kernels of GPTQ and AWQ: numbers without a sign, a row for each unit; AWQ's inputs have scales too."""
    ours = layer.parameters.pop("kernel")
    rows, units = ours.weight.shape
    groups = -(-rows // group) if group > 0 else 1
    stored = ((units + 1) // 2 if bits == 4 else units, rows)
    whole = _ask(layer, "quantized_kernel", stored, True)
    scale = _ask(layer, "kernel_scale", (units, groups))
    zero = _ask(layer, "kernel_zero", (units, groups), True)
    inputs = _ask(layer, "awq_scales", (rows,)) if kind == "awq" else None
    places = _ask(layer, "g_idx", (rows,))

    def read() -> NDArray[Any]:
        numbers = whole.read().astype(np.int64)
        if bits == 4:
            numbers = np.stack([numbers & 15, numbers >> 4 & 15], 1).reshape(-1, rows)[:units]
        kernel = _by_group(layer, numbers, scale, zero, places, 1).T
        return kernel if inputs is None else kernel / inputs.read().astype(np.float64)[:, None]

    ours.stored = Computed(read)


def _by_group(
    layer: LayerState, numbers: NDArray[Any], scale: Parameter, zero: Parameter, places: Parameter, axis: int
) -> NDArray[Any]:
    """(numbers − zero) · scale, each with those of the group of its place along an axis."""
    index = places.read().astype(np.int64)
    if index.size and not 0 <= index.min() <= index.max() < scale.weight.shape[axis]:
        raise ModelFileError(f"{layer.where}: its g_idx numbers groups that do not exist")
    zeros, scales = (np.take(p.read().astype(np.float64), index, axis) for p in (zero, scale))
    result: NDArray[Any] = (numbers - zeros) * scales
    return result


def unpacked(pairs: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Signed numbers of 4 bits, two in each of the given numbers of 8 along the last axis, the lower one first."""
    wide = pairs.astype(np.int64)
    halves = np.stack([wide & 15, (wide >> 4) & 15], -1).reshape(*wide.shape[:-1], -1)[..., :count]
    result: NDArray[np.int64] = (halves ^ 8) - 8
    return result
