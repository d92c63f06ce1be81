"""The command with the models and the images that come with the project, and with files that are no model."""

import csv
import io
import json
import shutil
from importlib import import_module
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import engine
from cli import main

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
WEIGHTS = ROOT / "weights" / "mnist.h5"


def infer(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_samples_are_classified_right() -> None:
    result = infer(SAMPLES, "--weights", WEIGHTS, "--format", "csv")
    assert result.exit_code == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) >= 24
    assert {row["path"]: row["label"] for row in rows} == {row["path"]: Path(row["path"]).name[0] for row in rows}
    assert all(0 < float(row["score"]) <= 1 for row in rows)


@pytest.mark.parametrize("batch_size", [1, 7, 4096])
def test_the_answers_do_not_depend_on_the_batch(batch_size: int) -> None:
    expected = infer(SAMPLES, "--weights", WEIGHTS, "--format", "json").stdout
    assert len(json.loads(expected)) >= 24
    assert infer(SAMPLES, "--weights", WEIGHTS, "--format", "json", "--batch-size", batch_size).stdout == expected


def test_a_bare_name_finds_the_shipped_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mnist.h5", "mnist_dense.h5"):
        result = infer(SAMPLES / "3_a.png", "--weights", name, "--format", "jsonl")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["label"] == "3"
        assert result.stderr.splitlines()[0].endswith(name)


def test_probabilities_are_the_softmax_of_what_predict_returns() -> None:
    image = np.asarray(Image.open(SAMPLES / "5_a.png").convert("L").resize((28, 28)))
    image = 255 - image if image[0, 0] > 127 else image
    classifier = engine.Classifier(WEIGHTS, top_k=10)
    logits = engine.load_model(WEIGHTS).predict(image[None, ..., None].astype(np.float32) / 255)[0]
    expected = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum()
    found = {score.index: score.score for score in classifier(image).top}
    np.testing.assert_allclose([found[i] for i in range(10)], expected, rtol=1e-12)


def test_summary_of_the_seeds_model() -> None:
    result = infer("summary", "--weights", WEIGHTS)
    assert result.exit_code == 0
    assert "802,944" in result.stdout
    assert "896,906" in result.stdout


def with_layer(path: Path, class_name: str) -> Path:
    """A copy of the dense model whose last layer is of another class."""
    shutil.copy(ROOT / "weights" / "mnist_dense.h5", path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["class_name"] = class_name
        file.attrs["model_config"] = json.dumps(config)
    return path


@pytest.mark.parametrize("command", [(str(SAMPLES),), ("summary",)], ids=["classify", "summary"])
@pytest.mark.parametrize("kind", ["missing", "empty", "text", "lfs", "image", "folder", "truncated"])
def test_files_that_are_no_model(kind: str, command: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    content = {
        "empty": b"",
        "text": b"hello\n",
        "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "image": (SAMPLES / "0_a.png").read_bytes(),
        "truncated": WEIGHTS.read_bytes()[:200_000],
    }
    if kind in content:
        path.write_bytes(content[kind])
    elif kind == "folder":
        path.mkdir()
    result = infer(*command, "--weights", path)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {path}: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("class_name", ["Lambda", "Mystery"])
def test_unsupported_layers_are_named(class_name: str, tmp_path: Path) -> None:
    result = infer(SAMPLES, "--weights", with_layer(tmp_path / "m.h5", class_name))
    assert result.exit_code == 4
    assert class_name in result.stderr
    assert result.stderr.count("\n") == 1


def test_warmup_readies_every_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("engine.runtime.warmup"), "all_kernels", lambda: ["run", "softmax"])
    result = infer("warmup")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == "2 kernels are ready"
