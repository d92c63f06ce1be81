"""Descriptions that are not what they should be: refused with layer, key, what is expected and what is found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import GraphError, LimitExceededError, ModelFileError, UnsupportedLayerError
from engine.frontend import open_model, strict_json
from engine.frontend.registry import LAYERS
from tests.frontend.handmade import dense_model, dense_weights, layer, sequential, write

Weights = dict[str, list[tuple[str, np.ndarray]]]


def refused(path: Path, message: str = "m.h5", error: Any = ModelFileError) -> None:
    with pytest.raises(error, match=message) as caught:
        open_model(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def check_layer(
    tmp_path: Path, entry: dict[str, Any], message: str, error: Any, shape: tuple = (None, 8, 8, 2)
) -> None:
    refused(write(tmp_path / "m.h5", sequential(entry, shape=shape)), message, error)


BAD_JSON = {
    "not_json": "{",
    "empty": " ",
    "trailing": "{} {}",
    "repeated_key": '{"class_name": "Sequential", "class_name": "Sequential", "config": []}',
    "nan": '{"class_name": "Sequential", "config": NaN}',
    "infinity": '{"class_name": "Sequential", "config": -Infinity}',
    "huge_float": '{"class_name": "Sequential", "config": 1e999}',
    "huge_integer": '{"class_name": "Sequential", "config": ' + "9" * 5000 + "}",
    "deep": "[" * 100_000 + "]" * 100_000,
    "deep_objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "invalid_utf8": b'{"class_name": "\xff\xfe"}',
    "byte_order_mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json(name: str, tmp_path: Path) -> None:
    refused(write(tmp_path / "m.h5", BAD_JSON[name]), "model_config")


def test_json_beyond_the_limit() -> None:
    with pytest.raises(LimitExceededError, match="at most"):
        strict_json.parse(b" " * (strict_json.MAX_TEXT + 1), "it")


@pytest.mark.parametrize(
    "config",
    [
        "[]",
        "3",
        "null",
        '"x"',
        "{}",
        '{"class_name": 3}',
        '{"class_name": "Sequential"}',
        '{"class_name": "Sequential", "config": {}}',
    ],
)
def test_json_that_is_no_model(config: str, tmp_path: Path) -> None:
    refused(write(tmp_path / "m.h5", config), error=(ModelFileError, UnsupportedLayerError))


def test_other_model_classes_are_named(tmp_path: Path) -> None:
    model = {"class_name": "MyModel", "config": {"name": "x", "layers": []}, "registered_name": "os>system"}
    refused(write(tmp_path / "m.h5", model), "'MyModel'", UnsupportedLayerError)


@pytest.mark.parametrize(
    "entry",
    [3, None, {}, {"class_name": "Dense"}, {"class_name": 1, "config": {}}, {"class_name": "Dense", "config": []}],
)
def test_layers_that_are_none(entry: Any, tmp_path: Path) -> None:
    model = {"class_name": "Sequential", "config": {"layers": [layer("InputLayer", "i", batch_shape=[None, 4]), entry]}}
    refused(write(tmp_path / "m.h5", model))


@pytest.mark.parametrize("units", [0, -1, 1.5, "8", True, None, [3], 2**31, 10**200])
def test_integers_are_integers_in_range(units: Any, tmp_path: Path) -> None:
    check_layer(
        tmp_path, layer("Dense", "d", units=units), r"layer 'd' \(Dense\): 'units' must be an integer", ModelFileError
    )


def test_integers_may_be_written_as_floats(tmp_path: Path) -> None:
    model = sequential(layer("Dense", "d", units=3.0, use_bias=1))
    open_model(write(tmp_path / "m.h5", model, dense_weights())).close()


WRONG_OPTIONS = [
    (layer("Conv2D", "c", filters=3), "'kernel_size' is missing"),
    (layer("Conv2D", "c", filters=3, kernel_size=[3]), "'kernel_size' must be"),
    (layer("Conv2D", "c", filters=3, kernel_size=[0, 3]), "'kernel_size' must be"),
    (layer("Conv2D", "c", filters=3, kernel_size=3, strides=0), "'strides' must be"),
    (layer("Conv2D", "c", filters=3, kernel_size=3, dilation_rate=[1, 0]), "'dilation_rate' must be"),
    (layer("Conv2D", "c", filters=3, kernel_size=3, padding="SAME"), "'padding' must be 'valid' or 'same'"),
    (layer("Conv2D", "c", filters=3, kernel_size=3, padding="causal"), "'padding' must be"),
    (layer("Conv2D", "c", filters=3, kernel_size=3, data_format="NHWC"), "'data_format' must be"),
    (layer("Conv2D", "c", filters=3, kernel_size=3, use_bias="no"), "'use_bias' must be true or false"),
    (layer("MaxPooling2D", "p", pool_size=-2), "'pool_size' must be"),
    (layer("MaxPooling2D", "p", pool_size="22"), "'pool_size' must be"),
    (layer("ZeroPadding2D", "z", padding=[1, 2, 3]), "'padding' must be"),
    (layer("ZeroPadding2D", "z", padding=-1), "'padding' must be"),
    (layer("ZeroPadding2D", "z", padding=[[1, 2], [3]]), "'padding' must be"),
    (layer("BatchNormalization", "b", epsilon="small"), "'epsilon' must be a finite number"),
    (layer("BatchNormalization", "b", axis="last"), "'axis' must be"),
    (layer("Rescaling", "r", scale="half"), "'scale' must be"),
    (layer("Rescaling", "r", scale=[1, 2, 3]), "3 values for an axis of \\(2,\\)"),
    (layer("ReLU", "r", max_value=[]), "'max_value' must be"),
    (layer("Reshape", "r", target_shape=128), "'target_shape' must be a list"),
    (layer("Permute", "p", dims=[0, 1, 2]), "'dims' must be"),
    (layer("Add", "a"), "found 1"),
    (layer("Concatenate", "a", axis="x"), "'axis' must be"),
]


@pytest.mark.parametrize(
    ("entry", "message"), WRONG_OPTIONS, ids=lambda v: v["class_name"] if isinstance(v, dict) else ""
)
def test_options_of_the_wrong_kind(entry: dict[str, Any], message: str, tmp_path: Path) -> None:
    name = entry["config"]["name"]
    check_layer(
        tmp_path, entry, f"layer '{name}' \\({entry['class_name']}\\): .*{message}", (ModelFileError, GraphError)
    )


DO_NOT_FIT = [
    layer("Conv2D", "x", filters=3, kernel_size=9),
    layer("Conv2D", "x", filters=3, kernel_size=3, groups=2**31 - 1),
    layer("Conv2D", "x", filters=4, kernel_size=3, groups=3),
    layer("MaxPooling2D", "x", pool_size=9),
    layer("Reshape", "x", target_shape=[5, -1]),
    layer("Reshape", "x", target_shape=[-1, -1]),
    layer("Reshape", "x", target_shape=[0, -1]),
    layer("Reshape", "x", target_shape=[127]),
    layer("Permute", "x", dims=[1, 2]),
    layer("Permute", "x", dims=[1, 2, 2]),
    layer("BatchNormalization", "x", axis=7),
    layer("BatchNormalization", "x", axis=0),
    layer("Softmax", "x", axis=4),
]


@pytest.mark.parametrize("entry", DO_NOT_FIT, ids=lambda e: e["class_name"])
def test_shapes_that_do_not_fit(entry: dict[str, Any], tmp_path: Path) -> None:
    check_layer(tmp_path, entry, rf"layer 'x' \({entry['class_name']}\)", (GraphError, ModelFileError))


def test_wrong_number_of_axes(tmp_path: Path) -> None:
    for entry in (
        layer("Conv2D", "x", filters=3, kernel_size=1),
        layer("MaxPooling2D", "x"),
        layer("ZeroPadding2D", "x"),
    ):
        check_layer(tmp_path, entry, "expected 3 axes", GraphError, shape=(None, 8, 2))


def test_values_of_unbounded_size(tmp_path: Path) -> None:
    entry = layer("ZeroPadding2D", "z", padding=[2**30, 2**30])
    check_layer(tmp_path, entry, "larger than", LimitExceededError)


@pytest.mark.parametrize("class_name", ["MyLayer", "Custom>Thing", "__import__", "Model2"])
def test_unknown_layers_are_named(class_name: str, tmp_path: Path) -> None:
    check_layer(tmp_path, layer(class_name, "mine"), f"layer 'mine' \\({class_name}\\)", UnsupportedLayerError)


@pytest.mark.parametrize("class_name", ["Lambda", "TFSMLayer", "TorchModuleWrapper"])
def test_layers_with_code_are_refused(class_name: str, tmp_path: Path) -> None:
    check_layer(tmp_path, layer(class_name, "code", function="x"), "never run", UnsupportedLayerError)


UNSUPPORTED = [
    (layer("Dense", "d", units=3, lora_rank=4), "'lora_rank'"),
    (layer("Dense", "d", units=3, mystery="yes"), "'mystery'"),
    (layer("BatchNormalization", "d", renorm=True), "'renorm'"),
    (
        layer("Dense", "d", units=3, dtype={"class_name": "QuantizedDTypePolicy", "config": {"mode": "float4"}}),
        "quantised",
    ),
    (layer("Dense", "d", units=3, dtype="int32"), "'int32'"),
    (layer("Activation", "d", activation="my_function"), "'my_function'"),
    (layer("Activation", "d", activation={"class_name": "function", "config": "os.system"}), "'os.system'"),
    (layer("Activation", "d", activation={"class_name": "PReLU", "config": {}}), "'PReLU'"),
    (layer("Activation", "d", activation={"class_name": "ReLU", "config": {"mystery": 1}}), "'mystery'"),
    (layer("Activation", "d", activation=["relu"]), "relu"),
    (layer("Rescaling", "d", scale=[[1.0], [2.0]]), "more than one axis"),
]


@pytest.mark.parametrize(("entry", "message"), UNSUPPORTED, ids=[m for _, m in UNSUPPORTED])
def test_options_that_change_numbers_are_not_ignored(entry: dict[str, Any], message: str, tmp_path: Path) -> None:
    check_layer(tmp_path, entry, f"layer 'd' .*{message}", UnsupportedLayerError)


@pytest.mark.parametrize(
    "dtype", [None, "float16", "mixed_float16", {"class_name": "Policy", "config": {"name": "mixed_bfloat16"}}]
)
def test_floating_point_policies_are_accepted(dtype: Any, tmp_path: Path) -> None:
    model = sequential(layer("Dense", "d", units=3, dtype=dtype))
    open_model(write(tmp_path / "m.h5", model, dense_weights())).close()


@pytest.mark.parametrize("shape", [None, [], [None, 0, 3], [None, -1], [None, "4"], [None, True], 4])
def test_input_shapes(shape: Any, tmp_path: Path) -> None:
    model = {
        "class_name": "Sequential",
        "config": {"layers": [layer("InputLayer", "i", batch_shape=shape), layer("Flatten", "f")]},
    }
    refused(
        write(tmp_path / "m.h5", model),
        "input 'i'",
        ModelFileError,
    )


def with_weights(tmp_path: Path, weights: Weights) -> Path:
    return write(tmp_path / "m.h5", dense_model(), weights)


def changed(**arrays: np.ndarray | None) -> Weights:
    """The dense model's weights with some replaced or left out."""
    found = {"kernel:0": dense_weights()["d"][0][1], "bias:0": dense_weights()["d"][1][1], **arrays}
    return {"d": [(name, array) for name, array in found.items() if array is not None]}


def test_wrong_shape_names_layer_expected_and_found(tmp_path: Path) -> None:
    for shape in ((3, 4), (4, 4), (12,), (4, 3, 1)):
        path = with_weights(tmp_path, changed(**{"kernel:0": np.zeros(shape, np.float32)}))
        with pytest.raises(ModelFileError) as caught:
            open_model(path)
        assert f"layer 'd' (Dense): weight 'd/kernel': expected shape (4, 3), found {shape}" in str(caught.value)


def test_missing_and_extra_weights(tmp_path: Path) -> None:
    refused(with_weights(tmp_path, changed(**{"bias:0": None})), "expected 2 weights")
    refused(with_weights(tmp_path, changed(more=np.zeros(3, np.float32))), "expected 2 weights")
    refused(with_weights(tmp_path, {}), "1 layers with weights but holds 0.*'d'")
    refused(
        with_weights(tmp_path, {**dense_weights(), "e": dense_weights()["d"]}), "1 layers with weights but holds 2.*'e'"
    )


def two_layers(*names: str) -> dict[str, Any]:
    return sequential(*(layer("Dense", name, units=4, use_bias=False) for name in names))


def test_layers_saved_in_another_order_are_found_by_name(tmp_path: Path) -> None:
    first, second = np.eye(4, dtype=np.float32), np.full((4, 4), 2, np.float32)
    path = write(tmp_path / "m.h5", two_layers("a", "b"), {"b": [("b/k", second)], "a": [("a/k", first)]})
    with open_model(path) as network:
        np.testing.assert_array_equal(network.layers[0].weights[0].read(), first)
        np.testing.assert_array_equal(network.layers[1].weights[0].read(), second)


def test_layers_saved_under_other_names_are_found_by_place(tmp_path: Path) -> None:
    first, second = np.eye(4, dtype=np.float32), np.full((4, 4), 2, np.float32)
    path = write(tmp_path / "m.h5", two_layers("a", "b"), {"x": [("k", first)], "none": [], "y": [("k", second)]})
    with open_model(path) as network:
        np.testing.assert_array_equal(network.layers[1].weights[0].read(), second)


@pytest.mark.parametrize("name", ["größe", "层", "a/b/c", "with space", "d:0", "kernel"])
def test_odd_layer_names(name: str, tmp_path: Path) -> None:
    model = sequential(layer("Dense", name, units=3))
    with open_model(write(tmp_path / "m.h5", model, {name: dense_weights()["d"]})) as network:
        assert network.layers[0].name == name
        np.testing.assert_array_equal(network.layers[0].weights[0].read(), dense_weights()["d"][0][1])


def test_weights_that_are_not_finite_are_read_as_they_are(tmp_path: Path) -> None:
    odd = np.array([np.nan, np.inf, 1e-42], np.float32)
    with open_model(with_weights(tmp_path, changed(**{"bias:0": odd}))) as network:
        np.testing.assert_array_equal(network.layers[0].weights[1].read(), odd)


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        (None, False),
        ("NaN", False),
        ("[]", False),
        ({"loss": "sparse_categorical_crossentropy"}, False),
        ({"loss": {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}}}, True),
        ({"loss": {"class_name": "CategoricalCrossentropy", "config": {"from_logits": False}}}, False),
        ({"loss": [{"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}, "mse"]}, True),
        ({"loss": {"d": {"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}}}, True),
        ({"loss": {"class_name": "function", "config": "mse"}, "optimizer": {"clip": float("nan")}}, False),
    ],
)
def test_from_logits(training: Any, expected: bool, tmp_path: Path) -> None:
    with open_model(write(tmp_path / "m.h5", dense_model(), dense_weights(), training=training)) as network:
        assert network.from_logits is expected


def test_damaged_training_config(tmp_path: Path) -> None:
    refused(write(tmp_path / "m.h5", dense_model(), dense_weights(), training="{"), "training_config")


def test_every_layer_of_the_table_says_what_it_is() -> None:
    assert len(LAYERS) > 30
    for name, entry in LAYERS.items():
        assert entry.summary, name
