"""`inspect_model`: all that is wrong with a file at once, and nothing where it runs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import engine
from cli import main
from engine.errors import ModelFileError
from tests.frontend.handmade import dense_model, dense_weights, functional, layer, sequential, write, write_dense
from tests.frontend.test_formats import ARCHIVES, ONLY_WEIGHTS, model_of
from tests.frontend.test_wild import find
from tests.golden import load

POLICY = {"class_name": "Policy", "config": {"name": "mixed_float16"}}


def statuses(found: engine.Inspection) -> dict[str, str]:
    return {x.name: x.status for x in found.survey.layers}


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_what_runs(path: Path) -> None:
    found, golden = engine.inspect_model(path), load(model_of(path))
    assert found.runs
    assert set(statuses(found).values()) == {"supported"}
    assert found.survey.parameters == sum(w.size for w in golden.weights)
    assert list(found.survey.inputs.values()) == [x.shape[1:] for x in golden.inputs]
    assert found.value_bytes
    json.dumps(found.to_dict(), allow_nan=False)


def test_every_refusal_is_reported(tmp_path: Path) -> None:
    model = sequential(
        layer("Dense", "first", units=3),
        layer("Mystery", "second"),
        layer("Dense", "third", units=2),
        layer("Lambda", "fourth", function="x"),
        layer("TFSMLayer", "fifth"),
    )
    found = engine.inspect_model(write(tmp_path / "m.h5", model, {}))
    assert list(statuses(found).values())[1:] == ["supported", "unsupported", "unknown", "unsupported", "unsupported"]
    assert [x.reason for x in found.unsupported] == [
        "layer 'second' (Mystery): layers of this class are not supported; `engine.register_layer` can add them",
        "layer 'fourth' (Lambda): it holds program code, which is never run",
        "layer 'fifth' (TFSMLayer): it holds program code, which is never run",
    ]
    assert not found.runs
    assert found.value_bytes is None


def test_branches_behind_a_refusal_are_looked_at(tmp_path: Path) -> None:
    inner = functional(
        [layer("InputLayer", "i", [], batch_input_shape=[None, 3]), layer("Mystery", "m", [[["i", 0, 0, {}]]])],
        [["i", 0, 0]],
        [["m", 0, 0]],
    )
    layers = [
        layer("InputLayer", "x", [], batch_input_shape=[None, 3]),
        {**inner, "name": "inner", "inbound_nodes": [[["x", 0, 0, {}]]]},
        layer("Enigma", "e", [[["inner", 1, 0, {}]]]),
        layer("ReLU", "r", [[["x", 0, 0, {}]]]),
        layer("Add", "a", [[["e", 0, 0, {}], ["r", 0, 0, {}]]]),
    ]
    layers[1]["config"]["name"] = "inner"
    found = engine.inspect_model(write(tmp_path / "m.h5", functional(layers, [["x", 0, 0]], [["a", 0, 0]])))
    assert statuses(found) == {
        "x": "supported",
        "inner/i": "supported",
        "inner/m": "unsupported",
        "e": "unsupported",
        "r": "supported",
        "a": "unknown",
    }


def test_what_contradicts_itself(tmp_path: Path) -> None:
    found = engine.inspect_model(write(tmp_path / "m.h5", sequential(layer("Dense", "d", units=-3)), {}))
    assert statuses(found)["d"] == "wrong"
    assert not found.unsupported
    assert "'units' must be an integer" in found.complaints[0]
    found = engine.inspect_model(write(tmp_path / "m.h5", dense_model(), {}))
    assert not found.runs
    assert "describes 1 layers with weights but holds 0" in found.complaints[0]


def test_precision_is_noted(tmp_path: Path) -> None:
    model = sequential(layer("Dense", "d", units=3, dtype=POLICY))
    found = engine.inspect_model(write(tmp_path / "m.h5", model, dense_weights()))
    assert found.runs
    assert found.survey.notes == ("1 layers are written for mixed_float16; all numbers are computed in float32",)


def test_parts_of_a_model(tmp_path: Path) -> None:
    weights = ONLY_WEIGHTS[0]
    found = engine.inspect_model(weights)
    (complaint,) = found.complaints
    assert complaint.startswith("it lacks the architecture: give it with --arch")
    assert found.survey.parameters > 0
    assert engine.inspect_model(weights, arch=model_of(weights)).runs
    text = tmp_path / "model.json"
    text.write_text(json.dumps({**dense_model(), "keras_version": "2.4.0"}))
    found = engine.inspect_model(text)
    assert found.complaints == ("it lacks the weights",)
    assert found.survey.parameters == 15
    with pytest.raises(ModelFileError, match="PDF"):
        engine.inspect_model(b"%PDF-1.4")


def test_functions_count_as_support(tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", sequential(layer("Lambda", "l", function="x")), {})
    assert not engine.inspect_model(path).runs
    assert engine.inspect_model(path, lambdas={"l": np.abs}).runs


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(main, ["inspect", *map(str, arguments)])


def test_command(tmp_path: Path) -> None:
    good = write_dense(tmp_path / "good.h5")
    result = run(good)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{good}: HDF5 full model, Keras 2.4.0",
        "input d_input: [None, 4]",
        "  d_input (InputLayer)  supported",
        "  d (Dense)             supported",
        "15 parameters, 60 bytes",
        "28 bytes of values for each example",
        "It runs.",
    ]
    assert json.loads(run(good, "--json").stdout)["runs"] is True
    bad = write(tmp_path / "bad.h5", sequential(layer("Mystery", "m")), {})
    assert run(bad).exit_code == 4
    assert json.loads(run(bad, "--json").stdout)["layers"][1]["status"] == "unsupported"
    assert run(ONLY_WEIGHTS[0]).exit_code == 1
    assert run(ONLY_WEIGHTS[0], "--arch", model_of(ONLY_WEIGHTS[0])).exit_code == 0
    broken = tmp_path / "broken.h5"
    broken.write_bytes(good.read_bytes()[:1000])
    assert run(broken).exit_code == 1


def test_summary_of_weights_with_their_description() -> None:
    arguments = ["summary", "--weights", str(ONLY_WEIGHTS[0])]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "--arch" in result.stderr
    result = CliRunner().invoke(main, [*arguments, "--arch", str(model_of(ONLY_WEIGHTS[0]))])
    assert result.exit_code == 0
    assert "Total params" in result.stdout


def test_steering_angles_of_keras_1() -> None:
    found = engine.inspect_model(find("carnd_nvidia_k121.h5"))
    assert [x.name for x in found.unsupported] == ["lambda_1"]
    assert {x.status for x in found.survey.layers} == {"supported", "unsupported", "unknown"}
