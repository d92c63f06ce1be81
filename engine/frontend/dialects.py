"""How the versions of Keras spell the same thing, as tables. Everything past this file uses Keras 3's words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.errors import UnsupportedLayerError
from engine.frontend.keras1 import to_keras2

_CLASSES = {
    "Model": "Functional",
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "Addons>GroupNormalization": "GroupNormalization",
    "Addons>InstanceNormalization": "GroupNormalization",
    **{
        f"{theirs}{rank}D{end}": f"{ours}{rank}D{end}"
        for rank in (1, 2, 3)
        for theirs, ours, end in (
            ("AvgPool", "AveragePooling", ""),
            ("Convolution", "Conv", ""),
            ("Convolution", "Conv", "Transpose"),
            ("DepthwiseConvolution", "DepthwiseConv", ""),
            ("GlobalAvgPool", "GlobalAveragePooling", ""),
            ("GlobalMaxPool", "GlobalMaxPooling", ""),
            ("MaxPool", "MaxPooling", ""),
            ("SeparableConvolution", "SeparableConv", ""),
        )
    },
}

CUSTOM = frozenset({
    "CustomScaleLayer", "FractionalAveragePooling2D", "FractionalMaxPooling2D", "LayerScale", "LpPooling2D",
    "StochasticDepth", "StochasticPooling2D",
})  # fmt: skip
"""Custom layers that are known, whatever package they were registered in: Keras writes `package>name`."""

_KEYS = {
    "": {"batch_input_shape": "batch_shape"},
    "Conv1D": {"atrous_rate": "dilation_rate"},
    "Conv2D": {"atrous_rate": "dilation_rate"},
    "LeakyReLU": {"alpha": "negative_slope"},
}


@dataclass(frozen=True)
class Dialect:
    """One generation of Keras.

    `hard_sigmoid` is (slope, offset). `first_call_of_model` is the number of a nested model's first call where another
    layer refers to it, `first_output_of_model` where the model's outputs do. `classes` maps class names, the file's to
    ours; `keys` maps a class (ours; "" for all) to its keys, the file's to ours; `rewrite` comes before both.
    """

    major: int
    hard_sigmoid: tuple[float, float]
    first_call_of_model: int
    first_output_of_model: int
    classes: Mapping[str, str] = field(default_factory=lambda: _CLASSES)
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: _KEYS)
    minor: int = 0
    rewrite: Callable[[str, Mapping[str, Any]], tuple[str, dict[str, Any]]] | None = None

    def translate(self, class_name: str, config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """A layer's class and configuration in our words."""
        if self.rewrite:
            class_name, config = self.rewrite(class_name, config)
        package, _, name = class_name.rpartition(">")
        name = name if package and name in CUSTOM else class_name
        ours = self.classes.get(name, name)
        keys = {**self.keys[""], **self.keys.get(ours, {})}
        return ours, {keys.get(key, key): plain(value) for key, value in config.items()}


DIALECTS = {
    1: Dialect(1, hard_sigmoid=(0.2, 0.5), first_call_of_model=1, first_output_of_model=1, rewrite=to_keras2),
    2: Dialect(2, hard_sigmoid=(0.2, 0.5), first_call_of_model=1, first_output_of_model=1),
    3: Dialect(3, hard_sigmoid=(1 / 6, 0.5), first_call_of_model=0, first_output_of_model=1),
}


def dialect_of(keras_version: str) -> Dialect:
    """The dialect of a version such as "2.2.4-tf"."""
    major, minor = (*keras_version.split("."), "", "")[:2]
    if not major.isdigit() or int(major) not in DIALECTS:
        known = " and ".join(map(str, DIALECTS))
        raise UnsupportedLayerError(f"was written by Keras {keras_version}; files of Keras {known} are read")
    return replace(DIALECTS[int(major)], minor=int(minor) if minor.isdigit() else 0)


def plain(value: Any) -> Any:
    """A value without Keras's wrapping of tuples."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        items = value.get("items", value.get("config"))
        return plain(items.get("value") if isinstance(items, dict) else items)
    return value
