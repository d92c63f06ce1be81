"""Nodes that call functions: TensorFlow's nodes as JSON, which no Keras writes any more, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import EngineError, UnsupportedLayerError
from engine.frontend import open_model
from engine.ir import reference
from tests.frontend.handmade import functional, layer, write

SHAPE = [None, 4, 6]


def source() -> dict[str, Any]:
    return layer("InputLayer", "x", [], batch_input_shape=SHAPE)


def node(op: str, constants: dict[str, Any] | None = None, inbound: int = 1, **attributes: Any) -> dict[str, Any]:
    """A TensorFlowOpLayer on the input."""
    definition = {"name": "y", "op": op, "input": ["x"], "attr": {"T": {"type": "DT_FLOAT"}, **attributes}}
    feeding = [["x", 0, 0, {}]] * inbound
    return layer("TensorFlowOpLayer", "y", [feeding], node_def=json.dumps(definition), constants=constants or {})


TEXT = """
name: "y"
op: "AvgPool"
input: "x"
attr { key: "T" value { type: DT_FLOAT } }
attr { key: "data_format" value { s: "NHWC" } }
attr { key: "ksize" value { list { i: 1 i: 2 i: 2 i: 1 } } }
attr { key: "padding" value { s: "VALID" } }
attr { key: "strides" value { list { i: 1 i: 2 i: 3 i: 1 } } }
"""


def test_a_node_in_the_text_form_of_protocol_buffers(tmp_path: Path) -> None:
    entry = layer("InputLayer", "x", [], batch_input_shape=[None, 4, 6, 3])
    last = layer("TensorFlowOpLayer", "y", [[["x", 0, 0, {}]]], node_def=TEXT, constants={})
    model = functional([entry, last], [["x", 0, 0]], [["y", 0, 0]])
    x = np.random.default_rng(4).normal(size=(2, 4, 6, 3)).astype(np.float32)
    with open_model(write(tmp_path / "m.h5", model)) as network:
        found = reference.run(network.graph, [x])[network.graph.outputs[0]]
    expected = np.stack([x[:, :, i : i + 2].reshape(2, 2, 2, 2, 3).mean((2, 3)) for i in (0, 3)], 2)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("text", ['op: "Relu', "op: {", "attr { key: 3 value { f: x } }", "%"])
def test_a_broken_text_is_refused(text: str, tmp_path: Path) -> None:
    last = layer("TensorFlowOpLayer", "y", [[["x", 0, 0, {}]]], node_def=text, constants={})
    with pytest.raises(EngineError):
        run(tmp_path, last, image())


def function(name: str, first: Any = None, **arguments: Any) -> dict[str, Any]:
    """A TFOpLambda on the input."""
    return layer("TFOpLambda", "y", [[*(first or ["x", 0, 0]), arguments]], function=name)


def run(tmp_path: Path, last: dict[str, Any], x: np.ndarray) -> Any:
    model = functional([source(), last], [["x", 0, 0]], [["y", 0, 0]])
    with open_model(write(tmp_path / "m.h5", model)) as network:
        return reference.run(network.graph, [x])[network.graph.outputs[0]]


def image() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(2, 4, 6)).astype(np.float32)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (node("AddV2", {"1": 3.0}), lambda x: x + 3),
        (node("Sub", {"0": 1.0}), lambda x: 1 - x),
        (node("Mean", {"1": [1, 2]}, keep_dims={"b": True}), lambda x: x.mean((1, 2), keepdims=True)),
        (node("Reshape", {"1": [-1, 24]}), lambda x: x.reshape(-1, 24)),
        (node("Transpose", {"1": [0, 2, 1]}), lambda x: x.transpose(0, 2, 1)),
        (node("ConcatV2", {"2": -1}, inbound=2), lambda x: np.concatenate([x, x], -1)),
        (node("Pack", inbound=2, axis={"i": "1"}), lambda x: np.stack([x, x], 1)),
        (node("Squeeze", squeeze_dims={"list": {}}), lambda x: x),
        (node("Cast", DstT={"type": "DT_INT32"}), np.trunc),
        (node("LeakyRelu", alpha={"f": 0.25}), lambda x: np.where(x > 0, x, x / 4)),
        (node("BatchMatMulV2", inbound=2, adj_y={"b": True}), lambda x: x @ x.transpose(0, 2, 1)),
        (
            node(
                "StridedSlice", {"1": [0, 1, 3], "2": [0, 3, 4], "3": [1, 1, 1]},
                begin_mask={"i": "1"}, end_mask={"i": "1"}, shrink_axis_mask={"i": "4"},
            ),
            lambda x: x[:, 1:3, 3],
        ),
    ],
    ids=lambda value: json.loads(value["config"]["node_def"])["op"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_nodes_of_tensorflow(last: dict[str, Any], expected: Any, tmp_path: Path) -> None:
    x = image()
    np.testing.assert_allclose(run(tmp_path, last, x), expected(x.astype(np.float64)), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (function("math.reduce_mean", axis=0), "no axis 0"),
        (function("math.reduce_sum", axis=None), "all axes"),
        (function("reshape", shape=[2, -1]), "leave the batch"),
        (function("transpose", perm=[1, 0, 2]), "moves the batch"),
        (function("concat", axis=0), "no axis 0"),
        (function("tile", multiples=[2, 1, 1]), "repeats the batch"),
        (function("math.add", y=[[[1.0]], [[2.0]]]), "across the batch"),
        (function("__operators__.getitem", slice_spec=0), "part of the batch"),
        (function("map_fn"), "not supported"),
        (function("nn.relu", mystery=3), "mystery"),
        (function("math.add"), "missing"),
        (function("math.add", y="text"), "numbers"),
        (function("einsum", ["_CONSTANT_VALUE", -1, "bij,bkj->bik"]), "constants"),
        (function("math.add", y=[1.0, [2.0]]), "array"),
        (node("MatrixInverse"), "raw.MatrixInverse"),
        (node("DepthToSpace", block_size={"i": "2"}, data_format={"s": "TkNIVw=="}), "NCHW"),
    ],
)
def test_what_is_refused_is_named(last: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=message) as caught:
        run(tmp_path, last, image())
    assert "layer 'y'" in str(caught.value)


def test_a_slice_by_a_tensor_is_refused(tmp_path: Path) -> None:
    last = layer(
        "SlicingOpLambda", "y", [["x", 0, 0, {"slice_spec": [{"start": ["x", 0, 0], "stop": None, "step": None}]}]],
        function="__operators__.getitem",
    )  # fmt: skip
    with pytest.raises(UnsupportedLayerError, match="slice"):
        run(tmp_path, last, image())
