"""How layers are connected: what Keras 2 and 3 write, and graphs that no Keras would."""

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import EngineError, LimitExceededError, ModelFileError, UnsupportedLayerError
from engine.frontend import open_model
from engine.ir import reference
from engine.ir.ops import Binary
from tests.frontend.handmade import Layers, functional, layer, sequential, write

SHAPE = [None, 3]


def source(name: str) -> dict[str, Any]:
    return layer("InputLayer", name, [], batch_input_shape=SHAPE)


def step(name: str, *feeding: str, class_name: str = "Activation", node: int = 0, tensor: int = 0) -> dict[str, Any]:
    """A layer called once, on the outputs of others, as Keras 2 writes it."""
    config = {"activation": "relu"} if class_name == "Activation" else {}
    return layer(class_name, name, [[[source, node, tensor, {}] for source in feeding]], **config)


def keras3_tensor(name: str, node: int = 0, tensor: int = 0) -> dict[str, Any]:
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": SHAPE, "dtype": "float32", "keras_history": [name, node, tensor]},
    }


def open_layers(tmp_path: Path, layers: Layers, inputs: Any, outputs: Any, version: str = "2.4.0") -> Any:
    return open_model(write(tmp_path / "m.h5", functional(layers, inputs, outputs), version=version))


def refused(
    tmp_path: Path, layers: Layers, inputs: Any, outputs: Any, message: str, error: Any = ModelFileError
) -> None:
    with pytest.raises(error, match=message) as caught:
        open_layers(tmp_path, layers, inputs, outputs)
    assert "m.h5" in str(caught.value)


ONE = [["x", 0, 0]]
OUT = [["y", 0, 0]]


@pytest.mark.parametrize(
    "outputs", [["y", 0, 0], [["y", 0, 0]], {"a": ["y", 0, 0]}, [[["y", 0, 0]]], {"a": [["y", 0, 0]]}], ids=str
)
def test_every_form_of_output_layers(outputs: Any, tmp_path: Path) -> None:
    with open_layers(tmp_path, [source("x"), step("y", "x")], ["x", 0, 0], outputs) as network:
        assert network.output_names == ("y",)


@pytest.mark.parametrize("order", [0, 1, 2], ids=str)
def test_layers_may_be_listed_in_any_order(order: int, tmp_path: Path) -> None:
    layers = [source("x"), step("a", "x"), step("b", "a"), step("y", "a", "b", class_name="Add")]
    layers = [layers[(i * 3 + order) % 4] for i in range(4)]
    with open_layers(tmp_path, layers, ONE, OUT) as network:
        assert [node.layer for node in network.graph.nodes] == ["a", "b", "y"]
        assert [info.name for info in network.layers] == [entry["name"] for entry in layers]


def test_keras3_nodes(tmp_path: Path) -> None:
    add = {"args": [[keras3_tensor("x"), keras3_tensor("a")]], "kwargs": {}}
    as_operation = {"args": [keras3_tensor("a"), keras3_tensor("s")], "kwargs": {}}
    layers = [
        source("x"),
        layer(
            "Activation",
            "a",
            [{"args": [keras3_tensor("x")], "kwargs": {"mask": None, "training": False}}],
            activation="relu",
        ),
        layer("Add", "s", [add]),
        layer("Subtract", "y", [as_operation]),
    ]
    with open_layers(tmp_path, layers, ["x", 0, 0], ["y", 0, 0], version="3.4.1") as network:
        kinds = [node.op.kind for node in network.graph.nodes if isinstance(node.op, Binary)]
        assert kinds == ["add", "sub"]
        assert network.layers[3].inbound == ("a", "s")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"args": [keras3_tensor("x"), 3.0], "kwargs": {}}, "constant 3.0"),
        ({"args": [keras3_tensor("x")], "kwargs": {"scale": keras3_tensor("x")}}, "'scale'"),
        ({"args": [keras3_tensor("x")], "kwargs": {"training": True}}, "'training'"),
        ({"args": [keras3_tensor("x"), {"class_name": "__numpy__", "config": {"value": 1}}], "kwargs": {}}, "constant"),
    ],
)
def test_call_arguments_that_matter_are_refused(arguments: Any, message: str, tmp_path: Path) -> None:
    refused(tmp_path, [source("x"), layer("Identity", "y", [arguments])], ONE, OUT, message, UnsupportedLayerError)


def test_call_arguments_of_keras2(tmp_path: Path) -> None:
    layers = [source("x"), layer("Dropout", "y", [[["x", 0, 0, {"training": True}]]], rate=0.5)]
    refused(tmp_path, layers, ONE, OUT, "'training' = True", UnsupportedLayerError)


def test_a_shared_layer_is_called_by_number(tmp_path: Path) -> None:
    twice = layer("Activation", "t", [[["x", 0, 0]], [["t", 0, 0]]], activation="tanh")
    layers = [source("x"), twice, layer("Subtract", "y", [[["t", 1, 0], ["t", 0, 0]]])]
    x = np.array([[0.5, -1.0, 2.0]])
    with open_layers(tmp_path, layers, ONE, OUT) as network:
        found = reference.run(network.graph, [x])[network.graph.outputs[0]]
        np.testing.assert_allclose(found, np.tanh(np.tanh(x)) - np.tanh(x))
        assert network.layers[1].inbound == ("x",)


BROKEN: list[tuple[str, Layers, Any, Any, str]] = [
    ("self_loop", [source("x"), step("y", "y")], ONE, OUT, "cycle"),
    ("cycle", [source("x"), step("a", "x", "b", class_name="Add"), step("b", "a"), step("y", "b")], ONE, OUT, "cycle"),
    (
        "shared_cycle",
        [source("x"), layer("Activation", "y", [[["y", 1, 0]], [["y", 0, 0]]], activation="relu")],
        ONE,
        OUT,
        "cycle",
    ),
    ("dangling", [source("x"), step("y", "nobody")], ONE, OUT, "'nobody', which does not exist"),
    ("dangling_call", [source("x"), step("y", "x", node=3)], ONE, OUT, "call 3 of layer 'x'"),
    ("dangling_tensor", [source("x"), step("y", "x", tensor=1)], ONE, OUT, "output 1 of layer 'x'"),
    ("negative", [source("x"), step("y", "x", node=-1)], ONE, OUT, "not understood"),
    ("dangling_output", [source("x"), step("y", "x")], ONE, [["z", 0, 0]], "'z', which does not exist"),
    ("input_is_no_input", [source("x"), step("y", "x")], [["y", 0, 0]], OUT, "'y' is not an input layer"),
    ("input_unknown", [source("x"), step("y", "x")], [["z", 0, 0]], OUT, "'z' is not an input layer"),
    ("input_twice", [source("x"), step("y", "x")], [["x", 0, 0], ["x", 0, 0]], OUT, "listed twice"),
    ("input_unlisted", [source("x"), source("w"), step("y", "w")], ONE, OUT, "layer 'w', which does not exist"),
    ("no_outputs", [source("x"), step("y", "x")], ONE, [], "output_layers"),
    ("no_inputs", [source("x"), step("y", "x")], None, OUT, "input_layers"),
    ("same_name", [source("x"), step("y", "x"), step("y", "x")], ONE, OUT, "same name"),
    ("nodes_no_list", [source("x"), layer("Activation", "y", {"a": 1}, activation="relu")], ONE, OUT, "inbound_nodes"),
    ("node_nonsense", [source("x"), layer("Activation", "y", [[3]], activation="relu")], ONE, OUT, "inbound_nodes"),
    ("node_text", [source("x"), layer("Activation", "y", ["x"], activation="relu")], ONE, OUT, "inbound_nodes"),
    ("node_empty", [source("x"), layer("Activation", "y", [[]], activation="relu")], ONE, OUT, "inbound_nodes"),
    (
        "input_with_nodes",
        [layer("InputLayer", "x", [[["x", 0, 0]]], batch_shape=SHAPE), step("y", "x")],
        ONE,
        OUT,
        "inbound_nodes",
    ),
    ("two_inputs_for_one", [source("x"), step("y", "x", "x")], ONE, OUT, "expected one input, found 2"),
]


@pytest.mark.parametrize(
    ("layers", "inputs", "outputs", "message"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_broken_graphs(layers: Layers, inputs: Any, outputs: Any, message: str, tmp_path: Path) -> None:
    refused(tmp_path, layers, inputs, outputs, message)


def test_what_no_output_needs_is_left_out_of_the_graph(tmp_path: Path) -> None:
    layers = [source("x"), step("y", "x"), step("dead", "x"), step("deader", "dead")]
    with open_layers(tmp_path, layers, ONE, OUT) as network:
        assert [node.layer for node in network.graph.nodes] == ["y"]
        assert [info.value >= 0 for info in network.layers] == [True, True, False, False]
        assert network.layers[3].output_shape == (3,)


def chain(length: int, class_name: str = "Activation") -> Layers:
    names = ["x", *(f"l{i}" for i in range(length - 1)), "y"]
    return [
        source("x"),
        *(step(name, before, class_name=class_name) for before, name in itertools.pairwise(names)),
    ]


def test_a_chain_of_fifty_thousand_layers(tmp_path: Path) -> None:
    started = time.perf_counter()
    with open_layers(tmp_path, chain(50_000), ONE, OUT) as network:
        assert len(network.graph.nodes) == 50_000
    model = sequential(*(layer("Activation", f"l{i}", activation="relu") for i in range(50_000)))
    with open_model(write(tmp_path / "s.h5", model)) as network:
        assert len(network.graph.nodes) == 50_000
    assert time.perf_counter() - started < 120


def test_a_chain_that_closes_after_fifty_thousand_layers(tmp_path: Path) -> None:
    layers = chain(50_000)
    layers[1] = step("l0", "y")
    refused(tmp_path, layers, ONE, OUT, "cycle")


def test_too_many_layers(tmp_path: Path) -> None:
    refused(tmp_path, chain(100_001), ONE, OUT, "at most 100000", LimitExceededError)


def nest(depth: int, calls: int = 1) -> dict[str, Any]:
    """A model in a model in a model, each calling the next `calls` times."""
    model = functional([source("x"), step("y", "x")], ONE, OUT)
    for _ in range(depth):
        inner = {**model, "config": {**model["config"], "name": "m"}, "name": "m"}
        inner["inbound_nodes"] = [[["x" if i == 0 else "m", max(i, 0), 0]] for i in range(calls)]
        model = functional([source("x"), inner], ONE, [["m", calls, 0]])
    return model


def test_models_nested_deep(tmp_path: Path) -> None:
    with open_model(write(tmp_path / "m.h5", nest(50))) as network:
        assert network.graph.nodes[0].layer == "m/" * 50 + "y"
    with pytest.raises(ModelFileError, match="nested more than"):
        open_model(write(tmp_path / "m.h5", nest(70)))


def test_models_that_double_at_each_level(tmp_path: Path) -> None:
    with pytest.raises(LimitExceededError, match="called more than"):
        open_model(write(tmp_path / "m.h5", nest(40, calls=2)))


def test_sequential_as_a_list(tmp_path: Path) -> None:
    layers = [
        layer("Activation", "a", activation="relu", batch_input_shape=SHAPE),
        layer("Activation", "b", activation="tanh"),
    ]
    with open_model(
        write(tmp_path / "m.h5", {"class_name": "Sequential", "config": layers}, version="2.1.6")
    ) as network:
        assert [info.name for info in network.layers] == ["a", "b"]
        assert network.input_names == ("a_input",)


def test_input_shape_from_the_models_own_note(tmp_path: Path) -> None:
    config = {"name": "net", "build_input_shape": [None, 5], "layers": [layer("Flatten", "f")]}
    with open_model(write(tmp_path / "m.h5", {"class_name": "Sequential", "config": config})) as network:
        assert network.graph.shapes[network.graph.inputs[0]] == (5,)
    del config["build_input_shape"]
    with pytest.raises(ModelFileError, match="does not say its shape"):
        open_model(write(tmp_path / "m.h5", {"class_name": "Sequential", "config": config}))


def test_a_model_called_on_the_wrong_number_of_inputs(tmp_path: Path) -> None:
    inner = functional(
        [source("a"), source("b"), step("s", "a", "b", class_name="Add")], [["a", 0, 0], ["b", 0, 0]], [["s", 0, 0]]
    )
    inner |= {"name": "m", "inbound_nodes": [[["x", 0, 0, {}]]]}
    refused(tmp_path, [source("x"), inner], ONE, [["m", 1, 0]], "layer 'm' .*expected 2 inputs, found 1")


def test_branches_that_do_not_fit(tmp_path: Path) -> None:
    wide = layer("InputLayer", "w", [], batch_input_shape=[None, 4])
    refused(
        tmp_path,
        [source("x"), wide, step("y", "x", "w", class_name="Add")],
        [["x", 0, 0], ["w", 0, 0]],
        OUT,
        "'y'",
        EngineError,
    )
