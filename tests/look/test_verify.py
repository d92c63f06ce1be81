"""`infer verify`: agreement is found, and so is every kind of disagreement."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from cli import main
from engine.errors import InputError
from engine.frontend import Network, open_model
from engine.ir.graph import Graph, Weight
from engine.look import verify
from engine.look.verify import compare, drawn_inputs, verify_network
from tests.golden import GOLDEN, models, name_of

ROOT = Path(__file__).parents[2]
WEIGHTS = ROOT / "weights" / "mnist.h5"
WHOLE = [m for m in models() if m.stem.startswith(("functional_", "sequential_", "nested_", "embedding"))]


def infer(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["verify", *map(str, arguments)], prog_name="infer")


@pytest.mark.parametrize("path", WHOLE, ids=name_of)
def test_models_agree(path: Path) -> None:
    with open_model(path) as network:
        found = verify_network(network, drawn_inputs(network.graph), path.name)
    assert found.agrees, list(found.lines())
    assert sum(each.kind == "output" for each in found.compared) == len(network.output_names)


def test_layers_are_those_that_run() -> None:
    with open_model(WEIGHTS) as network:
        found = verify_network(network, drawn_inputs(network.graph), "mnist.h5")
    names = [each.name for each in found.compared if each.kind == "layer"]
    assert names == ["conv1", "conv2", "pool1", "conv3", "pool2", "fc1", "logits"]
    assert found.compared[0].operation == "Conv, relu"


def spoilt(graph: Graph, layer: str) -> Graph:
    """The graph with the weights of one layer a little larger."""

    def larger(weight: Weight) -> Weight:
        return Weight(weight.name, weight.shape, lambda: weight.read() * 1.01)

    nodes = tuple(
        replace(n, operands=tuple(larger(o) if isinstance(o, Weight) else o for o in n.operands))
        if n.layer == layer and n.weights
        else n
        for n in graph.nodes
    )
    return replace(graph, nodes=nodes)


def test_the_first_wrong_layer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    run = verify.new_session
    monkeypatch.setattr(verify, "new_session", lambda graph, threads: run(spoilt(graph, "conv2"), threads))
    with open_model(WEIGHTS) as network:
        found = verify_network(network, drawn_inputs(network.graph), "mnist.h5")
    assert found.first_wrong is not None
    assert found.first_wrong.name == "conv2"
    assert [each.name for each in found.compared if not each.agrees] == ["conv2", "logits"]
    assert [each.kind for each in found.compared if not each.agrees] == ["layer", "output"]
    assert "the first is layer conv2 (Conv, relu)" in list(found.lines())[-1]


def test_what_passes_did_wrong_shows_in_the_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = verify.optimise
    monkeypatch.setattr(verify, "optimise", lambda graph: spoilt(passes(graph), "fc1"))
    with open_model(WEIGHTS) as network:
        found = verify_network(network, drawn_inputs(network.graph), "mnist.h5")
    assert [each.kind for each in found.compared if not each.agrees] == ["output"]


A = np.array([[1.0, -2.0, 0.001, 0.0]])


@pytest.mark.parametrize(
    ("found", "expected", "agrees"),
    [
        (A, A, True),
        (A * (1 + 5e-5), A, True),
        (A + 1.5e-5, A, True),
        (A * 1.01, A, False),
        (A + 1e-3, A, False),
        (np.zeros_like(A), A, False),
        (A[:, ::-1], A, False),
        (A[:, :3], A, False),
        (np.array([[np.nan, 1.0]]), np.array([[np.nan, 1.0]]), True),
        (np.array([[np.inf, 1.0]]), np.array([[-np.inf, 1.0]]), False),
        (np.array([[1.0, np.nan]]), np.array([[np.nan, 1.0]]), False),
        (np.array([[1.0, np.nan]]), np.array([[1.0, 1.0]]), False),
        (np.array([[1e-12]]), np.array([[0.0]]), False),
        (np.zeros((0, 3)), np.zeros((0, 3)), True),
    ],
)
def test_the_comparison_itself(found: NDArray[Any], expected: NDArray[Any], agrees: bool) -> None:
    assert compare("layer", "a", "Conv", found, expected, 1e-4).agrees is agrees


def test_the_command() -> None:
    result = infer("--weights", WEIGHTS)
    assert result.exit_code == 0, result.output
    assert "All 8 agree within 0.0001, for 2 examples" in result.stdout


def test_as_json_with_images() -> None:
    images = [ROOT / "samples" / name for name in ("3_b.png", "7_b.png", "1_a.jpg")]
    result = infer("--weights", WEIGHTS, "--json", *(word for image in images for word in ("-i", image)))
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (report["examples"], report["agrees"], report["first_wrong"]) == (3, True, None)
    assert [each["kind"] for each in report["compared"]] == ["layer"] * 7 + ["output"]


def test_a_golden_answer(tmp_path: Path) -> None:
    path = tmp_path / "golden.npz"
    assert infer("--weights", WEIGHTS, "--save-golden", path).exit_code == 0
    result = infer("--weights", WEIGHTS, "--golden", path)
    assert result.exit_code == 0
    assert "All 9 agree" in result.stdout
    with np.load(path) as stored:
        np.savez(tmp_path / "other.npz", x0=stored["x0"], y0=stored["y0"] * 1.01)
    result = infer("--weights", WEIGHTS, "--golden", tmp_path / "other.npz")
    assert result.exit_code == 1
    assert "the first is golden logits (stored answer)" in result.stdout


@pytest.mark.parametrize("name", ["sequential_seed_cnn", "functional_two_inputs", "functional_shared_model"])
def test_what_real_keras_answered_is_a_golden_answer(name: str) -> None:
    for path in GOLDEN.glob(f"k*/{name}.h5"):
        result = infer("--weights", path, "--golden", path.with_suffix(".npz"))
        assert result.exit_code == 0, result.output


def test_numbers_of_the_users(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((3, 28, 28, 1)))
    result = infer("--weights", WEIGHTS, "--input", tmp_path / "x.npy")
    assert result.exit_code == 0
    assert "for 3 examples" in result.stdout


def test_tolerance() -> None:
    result = infer("--weights", WEIGHTS, "--tolerance", "0")
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 28, 28, 3)), "input 'input_layer': expected numbers of shape (n, 28, 28, 1)"),
        (np.zeros((0, 28, 28, 1)), "as many examples in each, found 0"),
        (np.array(["a"]), "expected numbers"),
        (np.array([None]), "no arrays of NumPy"),
        (np.float32(1), "expected numbers"),
    ],
)
def test_numbers_that_do_not_fit(tmp_path: Path, array: NDArray[Any], said: str) -> None:
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    result = infer("--weights", WEIGHTS, "--input", tmp_path / "x.npy")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'"])
def test_files_that_hold_no_arrays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    result = infer("--weights", WEIGHTS, "--golden", tmp_path / "x.npz")
    assert result.exit_code == 1
    assert "x.npz: no arrays of NumPy" in result.stderr


def test_a_golden_file_without_outputs(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x0=np.zeros((1, 28, 28, 1)))
    result = infer("--weights", WEIGHTS, "--golden", tmp_path / "x.npz")
    assert (result.exit_code, "there is no array y0" in result.stderr) == (1, True)


def test_images_and_numbers_exclude_each_other(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((3, 28, 28, 1)))
    arguments = ["--input", tmp_path / "x.npy", "-i", ROOT / "samples" / "3_b.png"]
    assert infer("--weights", WEIGHTS, *arguments).exit_code == 2


def test_golden_outputs_must_be_as_many() -> None:
    with open_model(WEIGHTS) as network, pytest.raises(InputError, match="expected 1 outputs, found 2"):
        _verify_golden(network)


def _verify_golden(network: Network) -> None:
    inputs = drawn_inputs(network.graph)
    verify_network(network, inputs, "m", golden=[np.zeros((2, 10)), np.zeros((2, 10))])
