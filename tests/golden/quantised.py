"""Models that Keras 3 has quantised, saved as `.keras`, and the answers of float twins with the same weights.

The twins' weights are made float by Keras's own functions; GPTQ's and AWQ's models answer for themselves, since they
round no inputs.
"""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 3
Layers = Callable[[Any], list[Any]]


def _table(nn: Any) -> list[Any]:
    return [nn.Embedding(11, 6), nn.Dense(7, activation="tanh"), nn.Dense(3, use_bias=False)]


def _einsum(nn: Any) -> list[Any]:
    first = nn.EinsumDense("abc,cde->abed", (5, 4, 3), bias_axes="ed")
    return [first, nn.EinsumDense("abed,edf->abf", (5, 5)), nn.EinsumDense("abf,bfg->abg", (5, 2), bias_axes="g")]


def _dense(nn: Any) -> list[Any]:
    return [nn.Dense(7, activation="tanh"), nn.EinsumDense("abc,cd->abd", (5, 2))]


QUANTISED: dict[str, tuple[str, Layers]] = {
    "int8": ("int8", _table),
    "int4_whole": ("int4/-1", _table),
    "int4_groups": ("int4/4", _table),
    "int8_einsum": ("int8", _einsum),
    "int4_einsum": ("int4/-1", _einsum),
    "int4_einsum_groups": ("int4/3", _einsum),
    "float8": ("float8", _dense),
    "gptq4": ("gptq/4/3", lambda nn: []),
    "gptq8": ("gptq/8/-1", lambda nn: []),
    "awq": ("awq/4/3", lambda nn: []),
}
"""How a model is quantised, with the bits and the size of a group, −1 for none; and its layers."""


def make_quantised(keras: Any, name: str, mode: str, layers: Layers, folder: Path) -> None:
    """Write a quantised model and the answers that it should give."""
    keras.backend.clear_session()
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    folder.mkdir(parents=True, exist_ok=True)
    shape = (5,) if layers is _table else (5, 8)
    x = rng.integers(0, 11, (BATCH, *shape)).astype(np.float32)
    if mode.startswith(("gptq", "awq")):
        model = _calibrated(keras, mode, rng)
        y = model(x)
    else:
        model, twin = (keras.Sequential([keras.Input(shape), *layers(keras.layers)]) for _ in range(2))
        for layer in model.layers:
            layer.set_weights([rng.normal(0.0, 0.6, w.shape).astype(np.float32) for w in layer.get_weights()])
        weights = [layer.get_weights() for layer in model.layers]
        for layer, plain, floats in zip(model.layers, twin.layers, weights, strict=True):
            layer.quantize(config=_config(keras, mode)) if mode != "float8" else layer.quantize(mode)
            plain.set_weights(floats if mode == "float8" else _dequantised(keras, layer))
        y = twin(x)
    model.save(folder / f"{name}.keras")
    np.savez_compressed(folder / f"{name}.npz", x0=x, y0=np.asarray(y))


def _config(keras: Any, mode: str) -> Any:
    if mode == "int8":
        return keras.quantizers.Int8QuantizationConfig()
    return keras.quantizers.Int4QuantizationConfig(block_size=int(mode.rpartition("/")[2]))


def _calibrated(keras: Any, mode: str, rng: np.random.Generator) -> Any:
    """A model of one dense layer whose quantised weights are drawn."""
    kind = mode.partition("/")[0]
    policy = getattr(keras.dtype_policies, f"{kind.upper()}DTypePolicy")(mode, source_name="float32")
    layer = keras.layers.Dense(7, dtype=policy, activation="relu")
    model = keras.Sequential([keras.Input((5, 8)), layer])
    setattr(layer, f"is_{kind}_calibrated", True)
    layer.quantized_kernel.assign(rng.integers(0, 256, layer.quantized_kernel.shape))
    layer.kernel_zero.assign(rng.integers(0, 16, layer.kernel_zero.shape))
    layer.kernel_scale.assign(rng.uniform(0.05, 0.2, layer.kernel_scale.shape))
    layer.bias.assign(rng.normal(size=layer.bias.shape))
    layer.g_idx.assign(rng.integers(0, layer.kernel_scale.shape[1], layer.g_idx.shape))
    # Keras 3.15 leaves the zeros of these out of its files, which it then cannot read; versions before it do not.
    layer._get_kernel_with_merged_lora = lambda: (None, None, layer.kernel_zero)
    if hasattr(layer, "awq_scales"):
        layer.awq_scales.assign(rng.uniform(0.5, 2.0, layer.awq_scales.shape))
    return model


def _dequantised(keras: Any, layer: Any) -> list[np.ndarray]:
    """A quantised layer's weights, made float by Keras's own functions."""
    is_kernel = hasattr(layer, "_kernel")
    table = layer._kernel if is_kernel else layer._embeddings
    prefix, axis = ("kernel", 0) if is_kernel else ("embeddings", -1)
    scale, einsum = getattr(layer, f"{prefix}_scale"), type(layer).__name__ == "EinsumDense"
    if layer.quantization_mode == "int4":
        columns = layer._int4_unpacked_column_size if einsum else layer.units if is_kernel else layer.output_dim
        table = keras.src.quantizers.unpack_int4(table, columns, axis=-1)
    if hasattr(layer, "g_idx"):
        zero = getattr(layer, f"{prefix}_zero")
        table = keras.ops.cast(table, "float32")
        made = keras.src.quantizers.dequantize_with_sz_map(table, scale, zero, layer.g_idx, group_axis=axis)
    elif einsum and layer.quantization_mode == "int8":
        made = np.asarray(table, np.float32) / np.asarray(layer._adjust_scale_for_dequant(scale))
    else:
        made = np.asarray(table, np.float32) / np.expand_dims(np.asarray(scale), axis)
    made = np.asarray(made).reshape(layer.original_kernel_shape) if hasattr(layer, "original_kernel_shape") else made
    return [np.asarray(made), *([np.asarray(layer.bias)] if getattr(layer, "bias", None) is not None else [])]
