"""`infer profile` from the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main

WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "mnist_dense.h5"


def profile(*arguments: object, weights: object = WEIGHTS) -> Result:
    words = ["profile", "--weights", weights, "--seconds", "0", *arguments]
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="infer")


def test_a_table_of_steps_and_totals() -> None:
    result = profile()
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["layers", "algorithm"]
    assert any("dense_gemm" in line for line in lines)
    assert any(line.startswith("load ") for line in lines)
    assert any(line.startswith("peak resident ") for line in lines)


def test_json_and_a_trace(tmp_path: Path) -> None:
    result = profile("--batch", 3, "--threads", 2, "--json", "--trace", tmp_path / "t.json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["batch"], found["threads"]) == (3, 2)
    assert found["rows"][0]["algorithm"] == "dense_gemm"
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert {event["name"] for event in events if event["ph"] == "X"} == {row["layers"][-1] for row in found["rows"]}


@pytest.mark.parametrize("shape", ["", "28", "0,28,1", "a,b"])
def test_a_shape_is_sizes_that_fit(shape: str) -> None:
    result = profile("--shape", shape)
    assert result.exit_code != 0
    assert len(result.stderr.strip().splitlines()[-1]) < 200
    assert "Traceback" not in result.stderr


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    result = profile(weights=tmp_path / "no.h5")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
