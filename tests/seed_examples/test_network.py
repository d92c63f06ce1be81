"""The worked examples of whole networks: shapes, parameters, probabilities, and the two models to copy and paste."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.ir.ops import RELU, Dense, Softmax
from tests.seed_examples.tools import Build, a, check_everywhere, everywhere

WEIGHTS = Path(__file__).parents[2] / "weights"


def random(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))


@pytest.fixture
def tiny(keras: Build) -> engine.Model:
    """The example for 32×32×3."""
    return keras(
        (32, 32, 3),
        a("Conv2D", random(3, 3, 3, 16), random(16), padding="same", activation="relu", name="conv1"),
        a("MaxPooling2D", pool_size=2, strides=2, name="pool1"),
        a("Conv2D", random(3, 3, 16, 32), random(32), padding="same", activation="relu", name="conv2"),
        a("MaxPooling2D", pool_size=2, strides=2, name="pool2"),
        a("Flatten", name="flatten"),
        a("Dense", random(2048, 128), random(128), activation="relu", name="dense1"),
        a("Dense", random(128, 10), random(10), activation="softmax", name="output"),
    )


def test_shapes_from_layer_to_layer(tiny: engine.Model) -> None:
    shapes = {layer.name: layer.output_shape[1:] for layer in tiny.layers}
    assert shapes == {
        "conv1": (32, 32, 16), "pool1": (16, 16, 16), "conv2": (16, 16, 32), "pool2": (8, 8, 32), "flatten": (2048,),
        "dense1": (128,), "output": (10,),
    }  # fmt: skip
    assert tiny.input_shape == (None, 32, 32, 3)
    assert tiny.output_shape == (None, 10)


def test_parameter_counts_stand_in_the_summary(tiny: engine.Model) -> None:
    lines: list[str] = []
    tiny.summary(print_fn=lines.append)
    rows = {line.split(" (")[0]: line.split()[-1] for line in lines if " (" in line and "None" in line}
    assert rows == {
        "conv1": "448", "pool1": "0", "conv2": "4,640", "pool2": "0", "flatten": "0", "dense1": "262,272",
        "output": "1,290",
    }  # fmt: skip
    assert any(line.startswith("Total params: 268,650 ") for line in lines)
    assert tiny.count_params() == 268650


@pytest.mark.parametrize(("filters", "k", "channels"), [(16, 3, 3), (32, 3, 16), (5, 1, 2)])
def test_parameters_of_a_convolution(filters: int, k: int, channels: int, keras: Build) -> None:
    model = keras((8, 8, channels), a("Conv2D", random(k, k, channels, filters), random(filters)))
    assert model.layers[0].count_params() == filters * (k * k * channels) + filters


def test_probabilities_sum_to_one_and_the_largest_is_the_class(tiny: engine.Model) -> None:
    x = np.random.default_rng(1).random((6, 32, 32, 3), np.float32)
    probabilities = tiny.predict(x)
    assert probabilities.shape == (6, 10)
    np.testing.assert_allclose(probabilities.sum(-1), 1, rtol=1e-6)
    assert (probabilities >= 0).all()
    picture = np.uint8(x[0] * 255)
    best = engine.Classifier(tiny.path, preprocess="unit")(picture)
    assert best.index == tiny.predict(picture[None] / np.float32(255)).argmax()


def test_softmax_of_logits(keras: Build) -> None:
    logits = np.array([[2.0, 1.0, 0.0, -1.0]], np.float32)
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(keras((4,), a("Softmax")).predict(logits), expected, rtol=1e-6)
    for title, found in everywhere(Softmax(), logits):
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=title)
        assert found.argmax() == logits.argmax()


def test_flatten_is_row_by_row_channels_last(keras: Build) -> None:
    x = np.arange(24, dtype=np.float32).reshape(1, 3, 4, 2)
    np.testing.assert_array_equal(keras((3, 4, 2), a("Flatten")).predict(x), np.arange(24)[None])


def test_dense_is_the_activation_of_weights_times_input_plus_bias(keras: Build) -> None:
    x, w, b = np.array([[1, -2, 3]], np.float32), [[1, 0], [2, -1], [0, 3]], [4, -20]
    np.testing.assert_array_equal(keras((3,), a("Dense", w, b)).predict(x), [[1, -9]])
    np.testing.assert_array_equal(keras((3,), a("Dense", w, b, activation="relu")).predict(x), [[1, 0]])
    check_everywhere([[1, -9]], Dense(), x, w, b)
    check_everywhere([[1, 0]], Dense(RELU), x, w, b)


@pytest.mark.parametrize(
    ("name", "function"),
    [("relu", lambda x: np.maximum(x, 0)), ("sigmoid", lambda x: 1 / (1 + np.exp(-x))), ("tanh", np.tanh)],
)
def test_activations_are_element_by_element(name: str, function: Any, keras: Build) -> None:
    x = np.linspace(-4, 4, 30, dtype=np.float32).reshape(1, 5, 6)
    found = keras((5, 6), a("Activation", activation=name)).predict(x)
    np.testing.assert_allclose(found, function(x), rtol=1e-6, atol=1e-7)


def test_dropout_does_nothing_at_inference(keras: Build) -> None:
    x = np.random.default_rng(2).random((3, 5), np.float32)
    np.testing.assert_array_equal(keras((5,), a("Dropout", rate=0.5)).predict(x), x)


def test_batch_normalization_uses_what_it_has_learned(keras: Build) -> None:
    gamma, beta, mean, variance = [2, 1], [0, 3], [1, -1], [4, 1]
    layer = {"kind": "BatchNormalization", "epsilon": 0.0, "axis": -1, "weights": (gamma, beta, mean, variance)}
    np.testing.assert_allclose(keras((2,), layer).predict([[3.0, 0.0]]), [[2, 4]], rtol=1e-6)


def test_global_pooling_in_place_of_a_dense_head(keras: Build) -> None:
    features = a("Conv2D", random(3, 3, 3, 10), random(10), padding="same")
    pooled = keras((8, 8, 3), features, a("GlobalAveragePooling2D"), a("Softmax"))
    dense = keras((8, 8, 3), features, a("Flatten"), a("Dense", random(640, 10), random(10)), a("Softmax"))
    assert pooled.output_shape == dense.output_shape == (None, 10)
    assert dense.count_params() - pooled.count_params() == 640 * 10 + 10
    x = np.random.default_rng(3).random((2, 8, 8, 3), np.float32)
    logits = keras((8, 8, 3), features).predict(x).mean((1, 2))
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(pooled.predict(x), expected, rtol=1e-5)


def test_the_dense_network_to_copy() -> None:
    model = engine.load_model(WEIGHTS / "mnist_dense.h5")
    rows = [(layer.class_name, layer.output_shape[1:], layer.count_params()) for layer in model.layers]
    assert rows == [("Flatten", (784,), 0), ("Dense", (128,), 100480), ("Dense", (10,), 1290)]
    assert model.input_shape == (None, 28, 28, 1)
    assert model.layers[1].config["activation"] == "relu"


def test_the_convolutional_network_to_copy() -> None:
    model = engine.load_model(WEIGHTS / "mnist.h5")
    rows = [(layer.name, layer.output_shape[1:], layer.count_params()) for layer in model.layers]
    assert rows == [
        ("conv1", (28, 28, 32), 320),
        ("conv2", (28, 28, 64), 18496),
        ("pool1", (14, 14, 64), 0),
        ("dropout1", (14, 14, 64), 0),
        ("conv3", (14, 14, 128), 73856),
        ("pool2", (7, 7, 128), 0),
        ("flatten", (6272,), 0),
        ("fc1", (128,), 802944),
        ("dropout2", (128,), 0),
        ("logits", (10,), 1290),
    ]
    assert model.count_params() == 896906
    assert (model.from_logits, model.head) == (True, "linear")


def test_a_kernel_size_may_be_one_number(keras: Build) -> None:
    w = random(3, 3, 1, 2)
    x = np.random.default_rng(4).random((1, 6, 6, 1), np.float32)
    pair, number = (keras((6, 6, 1), a("Conv2D", w) | {"kernel_size": size}) for size in ([3, 3], 3))
    np.testing.assert_array_equal(pair.predict(x), number.predict(x))
