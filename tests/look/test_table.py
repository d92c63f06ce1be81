"""`infer summary`: the table, its totals, and the counts of multiply-adds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cli import main
from engine.ir.ops import Conv, ConvTranspose, Dense, DepthwiseConv, MatMul, Op, Recurrent
from engine.ir.work import node_multiply_adds
from engine.look.table import LayerFacts, Summary, summarise
from tests.frontend.handmade import dense_weights, layer, sequential, write
from tests.golden import GOLDEN
from tests.graphs import Net

WEIGHTS = Path(__file__).parents[2] / "weights" / "mnist.h5"


def infer(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), prog_name="infer")


@pytest.fixture(scope="module")
def mnist() -> Summary:
    return summarise(WEIGHTS)


def facts(summary: Summary, name: str) -> LayerFacts:
    return next(x for x in summary.layers if x.name == name)


def test_windows_fields_and_costs(mnist: Summary) -> None:
    conv2, pool1, fc1 = (facts(mnist, name) for name in ("conv2", "pool1", "fc1"))
    assert (conv2.kernel, conv2.strides, conv2.padding) == ((3, 3), (1, 1), "same 1+1")
    assert conv2.receptive_field == (5, 5)
    assert conv2.multiply_adds == 28 * 28 * 64 * 3 * 3 * 32
    assert conv2.output_bytes == 4 * 28 * 28 * 64
    assert (pool1.kernel, pool1.strides, pool1.padding) == ((2, 2), (2, 2), "valid")
    assert pool1.receptive_field == (6, 6)
    assert pool1.multiply_adds == 0
    assert fc1.receptive_field == (0, 0)
    assert fc1.multiply_adds == 6272 * 128


def test_totals(mnist: Summary) -> None:
    assert mnist.parameters == mnist.trainable_parameters == 896_906
    assert mnist.multiply_adds == sum(x.multiply_adds for x in mnist.layers) == 29_931_264


def test_the_table() -> None:
    lines = infer("summary", "--weights", str(WEIGHTS)).stdout.splitlines()
    assert lines[0] == 'Model: "mnist"'
    assert lines[1].split("  ")[0] == "Layer (type)"
    assert "Receptive field" in lines[1]
    row = next(line for line in lines if line.startswith("conv3"))
    assert " ".join(row.split()).endswith("73,856 3×3 1×1 same 1+1 10×10 14,450,688 98.00 KB")
    assert "Total params: 896,906 (3.42 MB)" in lines
    assert "Multiply-adds: 29,931,264 for one example" in lines


def test_only_keras_columns() -> None:
    lines = infer("summary", "--keras", "--weights", str(WEIGHTS)).stdout.splitlines()
    assert lines[1].split("  ")[-1].strip() == "Param #"
    assert lines[-1] == "Non-trainable params: 0 (0.00 B)"


def test_as_json(mnist: Summary) -> None:
    assert json.loads(infer("summary", "--json", "--weights", str(WEIGHTS)).stdout) == json.loads(
        json.dumps(mnist.to_dict())
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conv2d_dilation", {"dilation"}),
        ("conv2d_transpose_same", {"kernel", "strides"}),
        ("depthwise_conv2d_same_strides", {"kernel", "strides"}),
        ("separable_conv2d_same_strides", {"kernel", "strides"}),
        ("nested_teachable_machine", set()),
    ],
)
def test_models_of_real_keras(name: str, expected: set[str]) -> None:
    path = next(GOLDEN.glob(f"k*/{name}.h5"))
    summary = summarise(path)
    for key in expected:
        assert any(getattr(x, key) for x in summary.layers), key
    assert summary.multiply_adds > 0
    assert all(line for line in summary.lines())


def cost(op: Op, x: tuple[int, ...], *weights: tuple[int, ...]) -> int:
    net = Net()
    value = net.add(op, net.input(*x), *(net.kernel(*shape) for shape in weights))
    return node_multiply_adds(net.nodes[-1], net.graph(value))


@pytest.mark.parametrize(
    ("op", "shapes", "expected"),
    [
        (Conv(strides=(2, 2)), [(9, 9, 4), (3, 3, 4, 8), (8,)], 4 * 4 * 8 * 3 * 3 * 4),
        (Conv(groups=2), [(5, 5, 4), (3, 3, 2, 8)], 3 * 3 * 8 * 3 * 3 * 2),
        (DepthwiseConv(), [(5, 5, 4), (3, 3, 4, 2)], 3 * 3 * 8 * 3 * 3),
        (ConvTranspose((2, 2), (0, 0), (11, 11)), [(5, 5, 4), (3, 3, 4, 6)], 5 * 5 * 4 * 3 * 3 * 6),
        (Dense(), [(7, 5), (5, 3)], 7 * 5 * 3),
        (Recurrent("gru"), [(7, 5), (5, 12), (4, 12), (12,)], 7 * (5 * 12 + 4 * 12)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Op) else "",
)
def test_multiply_adds(op: Op, shapes: list[Any], expected: int) -> None:
    assert cost(op, *shapes) == expected


def test_multiply_adds_of_a_product_of_two_values() -> None:
    net = Net()
    value = net.add(MatMul(), net.input(2, 3, 4), net.input(2, 4, 5))
    assert node_multiply_adds(net.nodes[-1], net.graph(value)) == 2 * 3 * 4 * 5


def test_what_terminals_obey_is_escaped(tmp_path: Path) -> None:
    name = "c\x1b[31m\ud800<b>"
    described = sequential(layer("Dense", name, units=3, activation="linear"))
    path = write(tmp_path / "m.h5", described, {"d": dense_weights()["d"]})
    for options in ([], ["--expand"], ["--keras"], ["--diagram"]):
        result = infer("summary", "--weights", str(path), *options)
        assert result.exit_code == 0, result.exception
        assert r"c\x1b[31m\ud800<b>" in result.stdout
        assert "\x1b" not in result.stdout
    assert json.loads(infer("summary", "--json", "--weights", str(path)).stdout)["layers"][0]["name"] == name


def test_open_sizes_are_said(tmp_path: Path) -> None:
    described = sequential(
        layer("Conv2D", "c", filters=2, kernel_size=[3, 3]),
        layer("GlobalMaxPooling2D", "g"),
        shape=(None, None, None, 1),
    )
    path = write(tmp_path / "m.h5", described, {"c": [("c/kernel:0", np.ones((3, 3, 1, 2))), ("c/bias:0", np.ones(2))]})
    summary = summarise(path)
    assert summary.open_sizes
    assert summary.layers[0].output_shape == (None, None, None, 2)
    size = next(iter(summary.inputs.values()))[0]
    assert summary.multiply_adds == (size - 2) ** 2 * 2 * 9
    assert "leaves sizes open" in list(summary.lines())[-1]


def test_names_of_any_length_are_shortened(tmp_path: Path) -> None:
    name = "a" * 5000 + "z"
    layers = [layer("Dense", f"{i}{name}", units=4, activation="linear") for i in range(3)]
    weights = {f"d{i}": [("d/kernel:0", np.eye(4)), ("d/bias:0", np.zeros(4))] for i in range(3)}
    path = write(tmp_path / "m.h5", sequential(*layers), weights)
    for options in (["summary"], ["summary", "--diagram"], ["verify"]):
        result = infer(*options, "--weights", str(path))
        assert result.exit_code == 0, result.exception
        assert "0aaaa" in result.stdout
        assert "az" in result.stdout
        assert max(map(len, result.stdout.splitlines())) < 500
    assert json.loads(infer("summary", "--json", "--weights", str(path)).stdout)["layers"][2]["name"] == f"2{name}"
