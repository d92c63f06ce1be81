"""Files of Keras 1, written by hand: each computes what its twin of Keras 2 does, whose weights are moved by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from engine.errors import EngineError, GraphError, UnsupportedLayerError
from engine.frontend import open_model
from engine.ir import reference
from tests.frontend.handmade import layer, write

Arrays = Sequence[np.ndarray]
RNG = np.random.default_rng(11)


def draw(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.7, shape).astype(np.float32)


def compute(path: Path, *inputs: np.ndarray) -> np.ndarray:
    with open_model(path) as network:
        return reference.run(network.graph, inputs)[network.graph.outputs[0]]


def weights(name: str, arrays: Arrays, end: str) -> dict[str, list[tuple[str, np.ndarray]]]:
    return {name: [(f"{name}_w{i}{end}", array) for i, array in enumerate(arrays)]} if arrays else {}


def old(path: Path, entry: dict[str, Any], shape: Sequence[int], arrays: Arrays, theano: bool = False) -> Path:
    entry["config"]["batch_input_shape"] = [None, *shape]
    config = {"class_name": "Sequential", "config": [entry]}
    return write(path, config, weights("x", arrays, "" if theano else ":0"), version="1.2.2")


def new(path: Path, entry: dict[str, Any], shape: Sequence[int], arrays: Arrays, **attributes: Any) -> Path:
    entry["config"]["batch_input_shape"] = [None, *shape]
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": [entry]}}
    path = write(path, config, weights("x", arrays, ":0"), version="2.1.0")
    with h5py.File(path, "a") as file:
        file.attrs.update(attributes)
    return path


def same(
    tmp_path: Path,
    shape: Sequence[int],
    then: tuple[dict[str, Any], Arrays],
    now: tuple[dict[str, Any], Arrays],
    theano: bool = False,
) -> None:
    """Both models give the same numbers, and these are not all alike."""
    x = draw(2, *shape)
    before = compute(old(tmp_path / "old.h5", then[0], shape, then[1], theano), x)
    after = compute(new(tmp_path / "new.h5", now[0], shape, now[1]), x)
    assert after.std() > 0
    np.testing.assert_allclose(before, after, rtol=1e-6, atol=1e-6)


CONV = {"nb_filter": 4, "nb_row": 3, "nb_col": 2, "border_mode": "same", "subsample": [2, 1], "activation": "relu"}
CONV_NOW = {"filters": 4, "kernel_size": [3, 2], "padding": "same", "strides": [2, 1], "activation": "relu"}


@pytest.mark.parametrize("theano", [False, True])
@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_convolution2d(ordering: str, theano: bool, tmp_path: Path) -> None:
    kernel, bias = draw(3, 2, 5, 4), draw(4)
    saved = kernel[::-1, ::-1] if theano else kernel
    if ordering == "th":
        saved = np.moveaxis(saved, (3, 2), (0, 1))
    shape = (5, 7, 6) if ordering == "th" else (7, 6, 5)
    words = "channels_first" if ordering == "th" else "channels_last"
    then = layer("Convolution2D", "x", dim_ordering=ordering, bias=True, init="uniform", **CONV), [saved, bias]
    same(tmp_path, shape, then, (layer("Conv2D", "x", data_format=words, **CONV_NOW), [kernel, bias]), theano)


def test_atrous_convolution2d(tmp_path: Path) -> None:
    arrays = [draw(3, 3, 2, 4), draw(4)]
    then = layer("AtrousConvolution2D", "x", nb_filter=4, nb_row=3, nb_col=3, atrous_rate=[2, 2], dim_ordering="tf")
    now = layer("Conv2D", "x", filters=4, kernel_size=[3, 3], dilation_rate=[2, 2])
    same(tmp_path, (9, 8, 2), (then, arrays), (now, arrays))


@pytest.mark.parametrize("theano", [False, True])
@pytest.mark.parametrize("early", [False, True])
def test_convolution1d(early: bool, theano: bool, tmp_path: Path) -> None:
    kernel, bias = draw(3, 2, 4), draw(4)
    saved = (kernel[::-1] if theano else kernel)[:, None]
    saved = saved.transpose(3, 2, 0, 1) if early else saved
    then = layer("Convolution1D", "x", nb_filter=4, filter_length=3, subsample_length=2, input_dim=2, bias=True)
    now = layer("Conv1D", "x", filters=4, kernel_size=3, strides=2)
    same(tmp_path, (9, 2), (then, [saved, bias]), (now, [kernel, bias]), theano)


@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_convolution3d(ordering: str, tmp_path: Path) -> None:
    kernel, bias = draw(2, 3, 2, 3, 4), draw(4)
    saved = kernel if ordering == "tf" else np.moveaxis(kernel, (4, 3), (0, 1))
    shape, words = ((5, 4, 4, 3), "channels_last") if ordering == "tf" else ((3, 5, 4, 4), "channels_first")
    sizes = {"kernel_dim1": 2, "kernel_dim2": 3, "kernel_dim3": 2}
    then = layer("Convolution3D", "x", nb_filter=4, dim_ordering=ordering, **sizes), [saved, bias]
    now = layer("Conv3D", "x", filters=4, kernel_size=[2, 3, 2], data_format=words)
    same(tmp_path, shape, then, (now, [kernel, bias]))


@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_deconvolution2d(ordering: str, tmp_path: Path) -> None:
    kernel, bias = draw(3, 3, 4, 2), draw(4)
    saved = kernel.swapaxes(2, 3) if ordering == "tf" else np.moveaxis(kernel, (2, 3), (0, 1))
    shape, out, words = (
        ((4, 5, 2), [None, 9, 11, 4], "channels_last")
        if ordering == "tf"
        else ((2, 4, 5), [None, 4, 9, 11], "channels_first")
    )
    options = {"nb_filter": 4, "nb_row": 3, "nb_col": 3, "subsample": [2, 2], "dim_ordering": ordering}
    then = layer("Deconvolution2D", "x", output_shape=out, **options), [saved, bias]
    now = layer("Conv2DTranspose", "x", filters=4, kernel_size=3, strides=2, data_format=words), [kernel, bias]
    same(tmp_path, shape, then, now)
    then[0]["config"]["output_shape"] = [None, 12, 14, 4] if ordering == "tf" else [None, 4, 12, 14]
    with pytest.raises(GraphError, match="does not become one of"):
        open_model(old(tmp_path / "m.h5", then[0], shape, then[1]))


def gates(kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray, order: Sequence[int]) -> list[np.ndarray]:
    """The arrays gate by gate, `order` being the places of the gates in the joined arrays."""
    parts = [np.split(array, len(order), -1) for array in (kernel, recurrent, bias)]
    return [part[i] for i in order for part in parts]


@pytest.mark.parametrize(
    ("class_name", "order"), [("LSTM", (0, 2, 1, 3)), ("GRU", (0, 1, 2)), ("SimpleRNN", (0,))]
)  # fmt: skip
def test_recurrent(class_name: str, order: Sequence[int], tmp_path: Path) -> None:
    n = len(order)
    joined = [draw(3, 4 * n), draw(4, 4 * n), draw(4 * n)]
    inner = {} if class_name == "SimpleRNN" else {"inner_activation": "hard_sigmoid"}
    options = {"output_dim": 4, "activation": "tanh", "return_sequences": True, "dropout_W": 0.2, "input_dim": 3}
    now = layer(class_name, "x", units=4, return_sequences=True), joined
    then = layer(class_name, "x", consume_less="cpu", inner_init="orthogonal", **options, **inner)
    same(tmp_path, (5, 3), (then, gates(*joined, order)), now)
    then = layer(class_name, "x", consume_less="gpu", **options, **inner)
    same(tmp_path, (5, 3), (then, joined), now)


def test_bidirectional_and_time_distributed(tmp_path: Path) -> None:
    forwards, backwards = ([draw(3, 16), draw(4, 16), draw(16)] for _ in range(2))
    then = {"class_name": "LSTM", "config": {"name": "l", "output_dim": 4, "inner_activation": "hard_sigmoid"}}
    now = {"class_name": "LSTM", "config": {"name": "l", "units": 4}}
    arrays = [*gates(*forwards, (0, 2, 1, 3)), *gates(*backwards, (0, 2, 1, 3))]
    same(
        tmp_path,
        (5, 3),
        (layer("Bidirectional", "x", layer=then, merge_mode="concat"), arrays),
        (layer("Bidirectional", "x", layer=now, merge_mode="concat"), [*forwards, *backwards]),
    )
    arrays = [draw(3, 6), draw(6)]
    dense = {"class_name": "Dense", "config": {"name": "d", "output_dim": 6, "bias": True, "activation": "relu"}}
    now = layer("Dense", "x", units=6, activation="relu"), arrays
    same(tmp_path, (5, 3), (layer("TimeDistributed", "x", layer=dense), arrays), now)
    same(tmp_path, (5, 3), (layer("TimeDistributedDense", "x", output_dim=6, activation="relu"), arrays), now)


def test_batch_normalization(tmp_path: Path) -> None:
    arrays = [draw(4), draw(4), draw(4), np.abs(draw(4)) + 0.1]
    then = layer("BatchNormalization", "x", mode=0, axis=1, epsilon=1e-3, momentum=0.9, gamma_init="one")
    same(tmp_path, (4, 3), (then, arrays), (layer("BatchNormalization", "x", axis=1, epsilon=1e-3), arrays))
    with pytest.raises(UnsupportedLayerError, match="BatchNormalization of mode 2"):
        open_model(old(tmp_path / "m.h5", layer("BatchNormalization", "x", mode=2, axis=-1), (4,), arrays))


SAME = {
    "MaxPooling1D": (
        {"pool_length": 3, "stride": 2, "border_mode": "same"},
        {"pool_size": 3, "strides": 2, "padding": "same"},
        (8, 3),
    ),
    "AveragePooling2D": (
        {"pool_size": [3, 2], "strides": None, "dim_ordering": "th"},
        {"pool_size": [3, 2], "data_format": "channels_first"},
        (3, 7, 6),
    ),
    "UpSampling1D": ({"length": 3}, {"size": 3}, (4, 2)),
    "UpSampling2D": (
        {"size": [2, 3], "dim_ordering": "th"},
        {"size": [2, 3], "data_format": "channels_first"},
        (2, 3, 4),
    ),
    "ZeroPadding1D": ({"padding": {"left_pad": 1, "right_pad": 2}}, {"padding": [1, 2]}, (4, 2)),
    "ZeroPadding2D": ({"padding": [1, 2, 3, 0], "dim_ordering": "tf"}, {"padding": [[1, 2], [3, 0]]}, (4, 5, 2)),
    "Cropping2D": ({"cropping": [[1, 0], [2, 1]], "dim_ordering": "tf"}, {"cropping": [[1, 0], [2, 1]]}, (4, 5, 2)),
    "Dropout": ({"p": 0.5}, {"rate": 0.5}, (4,)),
    "GaussianNoise": ({"sigma": 0.5}, {"stddev": 0.5}, (4,)),
    "LeakyReLU": ({"alpha": 0.2}, {"alpha": 0.2}, (4,)),
    "Flatten": ({}, {}, (3, 2, 4)),
    "Permute": ({"dims": [2, 1]}, {"dims": [2, 1]}, (3, 2)),
}


@pytest.mark.parametrize("class_name", SAME)
def test_layers_without_weights(class_name: str, tmp_path: Path) -> None:
    then, now, shape = SAME[class_name]
    same(tmp_path, shape, (layer(class_name, "x", **then), []), (layer(class_name, "x", **now), []))


def test_embedding(tmp_path: Path) -> None:
    table, x = draw(7, 3), RNG.integers(0, 7, (2, 5)).astype(np.float32)
    entry = layer("Embedding", "x", input_dim=7, output_dim=3, input_length=5, dropout=0.1, mask_zero=False)
    y = compute(old(tmp_path / "m.h5", entry, (5,), [table]), x)
    np.testing.assert_array_equal(y, table[x.astype(int)])


def merge_model(path: Path, **options: Any) -> Path:
    inputs = [layer("InputLayer", name, [], batch_input_shape=[None, 3], input_dtype="float32") for name in "ab"]
    merge = layer("Merge", "m", [[["a", 0, 0], ["b", 0, 0]]], **options)
    config = {"layers": [*inputs, merge], "input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["m", 0, 0]]}
    return write(path, {"class_name": "Model", "config": {"name": "net", **config}}, version="1.1.0")


MERGES: Mapping[str, Any] = {
    "sum": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "ave": lambda a, b: (a + b) / 2,
    "concat": lambda a, b: np.concatenate([a, b], -1),
    "dot": lambda a, b: (a * b).sum(-1, keepdims=True),
    "cos": lambda a, b: ((a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)).reshape(-1, 1, 1),
}


@pytest.mark.parametrize("mode", MERGES)
def test_merge(mode: str, tmp_path: Path) -> None:
    a, b = draw(4, 3), draw(4, 3)
    path = merge_model(tmp_path / "m.h5", mode=mode, concat_axis=-1, dot_axes=[[1], [1]], mode_type="raw")
    np.testing.assert_allclose(compute(path, a, b), MERGES[mode](a, b), rtol=1e-6)


def test_sequential_that_begins_with_a_merge(tmp_path: Path) -> None:
    arrays = {name: draw(3, 2) for name in ("left", "right")} | {"last": draw(4, 2)}
    branches = [
        {
            "class_name": "Sequential",
            "config": [layer("Dense", n, output_dim=2, bias=False, batch_input_shape=[None, 3])],
        }
        for n in ("left", "right")
    ]
    merge = layer("Merge", "m", layers=branches, mode="concat", concat_axis=-1, mode_type="raw")
    config = {"class_name": "Sequential", "config": [merge, layer("Dense", "last", output_dim=2, bias=False)]}
    saved = {name: [(f"{name}_W:0", array)] for name, array in arrays.items()}
    a, b = draw(5, 3), draw(5, 3)
    y = compute(write(tmp_path / "m.h5", config, saved, version="1.1.0"), a, b)
    joined = np.concatenate([a @ arrays["left"].astype(np.float64), b @ arrays["right"].astype(np.float64)], -1)
    np.testing.assert_allclose(y, joined @ arrays["last"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("options", "message"), [
    ({"mode": "tan"}, "Merge of mode 'tan'"),
    ({"mode": ["x", None, None], "mode_type": "lambda"}, "program code"),
])  # fmt: skip
def test_merges_that_are_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLayerError, match=message):
        open_model(merge_model(tmp_path / "m.h5", **options))


def test_numbered_weights(tmp_path: Path) -> None:
    kernel, bias = draw(3, 2), draw(2)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["nb_layers"] = 2
        file.create_group("layer_0").attrs["nb_params"] = 0
        group = file.create_group("layer_1")
        group.attrs["nb_params"] = 2
        group["param_0"], group["param_1"] = kernel, bias
    entries = [layer("Dropout", "d", p=0.1, batch_input_shape=[None, 3]), layer("Dense", "x", output_dim=2)]
    arch = repr({"class_name": "Sequential", "config": entries}).replace("'", '"').replace("None", "null").encode()
    x = draw(2, 3)
    with open_model(tmp_path / "w.h5", arch) as network:
        y = reference.run(network.graph, [x])[network.graph.outputs[0]]
        assert network.format == "HDF5 weights of Keras 0 and 1, described by JSON"
    np.testing.assert_allclose(y, x.astype(np.float64) @ kernel + bias, rtol=1e-6)


def test_theano_in_keras_2(tmp_path: Path) -> None:
    kernel, bias, x = draw(3, 3, 2, 4), draw(4), draw(1, 6, 6, 2)
    entry = layer("Conv2D", "x", filters=4, kernel_size=3)
    straight = compute(new(tmp_path / "a.h5", entry, x.shape[1:], [kernel, bias], backend="tensorflow"), x)
    turned = [kernel[::-1, ::-1], bias]
    np.testing.assert_array_equal(
        compute(new(tmp_path / "b.h5", entry, x.shape[1:], turned, backend="theano"), x), straight
    )


def test_wrong_shapes_are_named(tmp_path: Path) -> None:
    entry = layer("Convolution1D", "x", nb_filter=4, filter_length=3)
    with pytest.raises(EngineError, match=r"layer 'x' \(Conv1D\).*\(3, 1, 2, 4\), found \(3, 2, 4\)"):
        open_model(old(tmp_path / "m.h5", entry, (9, 2), [draw(3, 2, 4), draw(4)]))
