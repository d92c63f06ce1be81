"""Layers of Keras 1 that no newer Keras computes, against their definitions."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.frontend import open_model
from engine.ir import reference
from tests.frontend.handmade import layer, sequential, write


def weights(seed: int, **shapes: tuple[int, ...]) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    return {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def answer(path: Path, x: NDArray[np.float32]) -> NDArray[np.float64]:
    with open_model(path) as network:
        return reference.run(network.graph, [x])[network.graph.outputs[0]]


def test_maxout_is_the_largest_of_several_dense_layers(tmp_path: Path) -> None:
    w = weights(0, W=(3, 4, 5), b=(3, 5))
    config = sequential(layer("MaxoutDense", "m", output_dim=5, nb_feature=3, bias=True))
    path = write(tmp_path / "m.h5", config, {"m": list(w.items())})
    x = np.random.default_rng(1).standard_normal((2, 4)).astype(np.float32)
    expected = (np.einsum("ni,kio->nko", x, w["W"]) + w["b"]).max(1)
    np.testing.assert_allclose(answer(path, x), expected, rtol=1e-5, atol=1e-5)


def test_highway_mixes_a_dense_layer_and_its_input(tmp_path: Path) -> None:
    w = weights(0, W=(4, 4), W_carry=(4, 4), b=(4,), b_carry=(4,))
    config = sequential(layer("Highway", "h", activation="tanh", bias=True, transform_bias=-2))
    path = write(tmp_path / "m.h5", config, {"h": list(w.items())})
    x = np.random.default_rng(1).standard_normal((2, 4)).astype(np.float32)
    share = 1 / (1 + np.exp(-(x @ w["W_carry"] + w["b_carry"])))
    expected = share * np.tanh(x @ w["W"] + w["b"]) + (1 - share) * x
    np.testing.assert_allclose(answer(path, x), expected, rtol=1e-5, atol=1e-5)


def test_batch_normalization_of_each_example(tmp_path: Path) -> None:
    w = weights(0, gamma=(4,), beta=(4,), moving_mean=(4,), moving_variance=(4,))
    config = sequential(layer("BatchNormalization", "b", mode=1, axis=-1, epsilon=0.01, momentum=0.9))
    path = write(tmp_path / "m.h5", config, {"b": list(w.items())})
    x = np.random.default_rng(1).standard_normal((2, 4)).astype(np.float32)
    deviation = np.sqrt(x.var(-1, keepdims=True) + 0.01) + 0.01
    expected = (x - x.mean(-1, keepdims=True)) / deviation * w["gamma"] + w["beta"]
    np.testing.assert_allclose(answer(path, x), expected, rtol=1e-5, atol=1e-5)


def test_random_crops_resized_before_keras_3_8(tmp_path: Path) -> None:
    config = sequential(layer("RandomCrop", "c", height=2, width=2), shape=(None, 4, 6, 1))
    x = np.random.default_rng(1).standard_normal((1, 4, 6, 1)).astype(np.float32)
    for version, shape in (("2.15.0", (1, 2, 2, 1)), ("3.7.0", (1, 2, 2, 1)), ("3.8.0", x.shape)):
        path = write(tmp_path / f"{version}.h5", config, version=version)
        assert answer(path, x).shape == shape


@pytest.mark.parametrize("groups", [-1, 4])
def test_instance_normalization_of_tensorflow_addons(groups: int, tmp_path: Path) -> None:
    w = weights(0, gamma=(4,), beta=(4,))
    entry = layer("Addons>InstanceNormalization", "n", groups=groups, axis=-1, epsilon=0.01, center=True, scale=True)
    path = write(tmp_path / "m.h5", sequential(entry, shape=(None, 5, 6, 4)), {"n": list(w.items())})
    x = np.random.default_rng(1).standard_normal((2, 5, 6, 4)).astype(np.float32)
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    expected = (x - mean) / np.sqrt(variance + 0.01) * w["gamma"] + w["beta"]
    np.testing.assert_allclose(answer(path, x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("border", ["same", "valid"])
@pytest.mark.parametrize("turned", [False, True])
def test_deconvolution_to_each_size_that_a_convolution_would_shrink(border: str, turned: bool, tmp_path: Path) -> None:
    """It is the transpose of the convolution: both give the same sum of products."""
    sizes = ((5, 6) if border == "same" else (7, 8))[:: -1 if turned else 1]
    kernel = weights(3, w=(3, 3, 2, 1))["w"]
    options = {
        "nb_row": 3,
        "nb_col": 3,
        "subsample": [2, 2],
        "border_mode": border,
        "bias": False,
        "dim_ordering": "tf",
    }
    entry = layer("Deconvolution2D", "d", nb_filter=2, output_shape=[None, *sizes, 2], **options)
    saved = {"d": [("d_W:0", kernel.swapaxes(2, 3))]}
    path = write(tmp_path / "m.h5", sequential(entry, shape=(None, 3, 3, 1)), saved, "1.2.2")
    back = layer("Convolution2D", "c", nb_filter=1, **options)
    other = write(tmp_path / "c.h5", sequential(back, shape=(None, *sizes, 2)), {"c": [("c_W:0", kernel)]}, "1.2.2")
    x = np.random.default_rng(1).standard_normal((1, 3, 3, 1)).astype(np.float32)
    y = np.random.default_rng(2).standard_normal((1, *sizes, 2)).astype(np.float32)
    np.testing.assert_allclose((answer(path, x) * y).sum(), (answer(other, y) * x).sum(), rtol=1e-5)
