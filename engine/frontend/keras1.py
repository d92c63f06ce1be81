"""Keras 1's words for layers and their options, in those of Keras 2.

Sources: Keras 1.2.2, and `keras.legacy` of Keras 2.0.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Values: TypeAlias = dict[str, Any]

_TRAINING = frozenset({
    "W_constraint", "U_constraint", "b_constraint", "W_regularizer", "U_regularizer", "b_regularizer",
    "beta_init", "beta_regularizer", "consume_less", "depthwise_constraint", "depthwise_regularizer", "dropout_U",
    "dropout_W", "forget_bias_init", "gamma_init", "gamma_regularizer", "init", "inner_init", "input_dtype",
    "input_length", "pointwise_constraint", "pointwise_regularizer",
})  # fmt: skip
"""What acts in training only, or says how to compute what is computed anyway."""

_RENAMED = {
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "filter_length": "kernel_size",
    "inner_activation": "recurrent_activation",
    "nb_filter": "filters",
    "p": "rate",
    "pool_length": "pool_size",
    "sigma": "stddev",
    "stride": "strides",
    "subsample": "strides",
    "subsample_length": "strides",
}

_UNITS = frozenset({"Dense", "GRU", "LSTM", "MaxoutDense", "SimpleRNN", "TimeDistributedDense"})

_MERGES = {
    "ave": "Average",
    "concat": "Concatenate",
    "cos": "MergedCosine",
    "dot": "Dot",
    "max": "Maximum",
    "min": "Minimum",
    "mul": "Multiply",
    "sum": "Add",
}


def to_keras2(class_name: str, config: Mapping[str, Any]) -> tuple[str, Values]:
    """A layer's class and configuration in Keras 2's words."""
    values = {key: value for key, value in config.items() if key not in _TRAINING}
    gpu = config.get("consume_less") == "gpu"
    if class_name != "Embedding":
        values.pop("input_dim", None)
    values = {_RENAMED.get(key, key): value for key, value in values.items()}
    if class_name in _UNITS and "output_dim" in values:
        values["units"] = values.pop("output_dim")
    if values.get("data_format") in ("th", "tf"):
        values["data_format"] = "channels_first" if values["data_format"] == "th" else "channels_last"
    for sizes in (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3")):
        if sizes[0] in values:
            values["kernel_size"] = [values.pop(size, None) for size in sizes]
    if gpu:
        values["implementation"] = 2
    change = _SPECIAL.get(class_name)
    return change(values) if change else (class_name, values)


def joined_branches(layers: list[Any]) -> Values | None:
    """The Functional configuration of a Sequential model that begins by merging others; None for any other."""
    made: list[Values] = []
    inputs: list[str] = []
    try:
        if layers[0]["class_name"] != "Merge" or not layers[0]["config"].get("layers"):
            return None
        last = _chain(layers, made, inputs)
    except (KeyError, TypeError, IndexError, AttributeError):
        return None
    return {
        "layers": made,
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": [[last, 0, 0]],
    }


def _chain(layers: list[Any], made: list[Values], inputs: list[str]) -> str:
    """Append the layers of a Sequential model, and of those that it begins by merging; the last one's name."""
    first = layers[0]["config"]
    if layers[0]["class_name"] == "Merge":
        sources = [_chain(branch["config"], made, inputs) for branch in first["layers"]]
    else:
        sources = [f"{first['name']}_input"]
        inputs += sources
        shape = {"name": sources[0], "batch_input_shape": first.get("batch_input_shape")}
        made.append({"class_name": "InputLayer", "name": sources[0], "config": shape, "inbound_nodes": []})
    for layer in layers:
        name = layer["config"]["name"]
        made.append({**layer, "name": name, "inbound_nodes": [[[source, 0, 0] for source in sources]]})
        sources = [name]
    return sources[0]


def _merge(values: Values) -> tuple[str, Values]:
    mode = values.get("mode", "sum")
    kept: Values = {key: value for key, value in values.items() if key in ("name", "trainable")}
    if not isinstance(mode, str) or values.get("mode_type", "raw") != "raw":
        return "Lambda", kept
    if mode == "concat":
        kept["axis"] = values.get("concat_axis", -1)
    if mode == "dot":
        axes = values.get("dot_axes", -1)
        kept["axes"] = [a[0] if isinstance(a, list) and a else a for a in axes] if isinstance(axes, list) else axes
    if mode == "cos":
        kept["dot_axes"] = values.get("dot_axes", -1)
    return _MERGES.get(mode, f"Merge of mode {mode[:20]!r}"), kept


def _batch_normalization(values: Values) -> tuple[str, Values]:
    """Mode 0 is the only one that later versions have; mode 2 takes the statistics of the batch, also at inference."""
    mode = values.get("mode", 0)
    return "BatchNormalization" if mode in (0, 1) else f"BatchNormalization of mode {repr(mode)[:20]}", values


def _padded(class_name: str, sides: tuple[str, ...]) -> Callable[[Values], tuple[str, Values]]:
    """Paddings by the names of their sides, or all sides in one list."""

    def change(values: Values) -> tuple[str, Values]:
        padding = values.get("padding", values.get("cropping"))
        if isinstance(padding, dict):
            padding = [padding.get(side, 0) for side in sides]
        if isinstance(padding, list) and len(padding) == len(sides) == 4:
            padding = [padding[:2], padding[2:]]
        return class_name, {**values, "padding": padding}

    return change


def _up_sampling1d(values: Values) -> tuple[str, Values]:
    return "UpSampling1D", {"size" if key == "length" else key: value for key, value in values.items()}


def _embedding(values: Values) -> tuple[str, Values]:
    return "Embedding", {key: value for key, value in values.items() if key not in ("dropout", "weights")}


_SPECIAL: Mapping[str, Callable[[Values], tuple[str, Values]]] = {
    "BatchNormalization": _batch_normalization,
    "Embedding": _embedding,
    "Merge": _merge,
    "TimeDistributedDense": lambda values: ("Dense", values),
    "UpSampling1D": _up_sampling1d,
    "ZeroPadding1D": _padded("ZeroPadding1D", ("left_pad", "right_pad")),
    "ZeroPadding2D": _padded("ZeroPadding2D", ("top_pad", "bottom_pad", "left_pad", "right_pad")),
}
