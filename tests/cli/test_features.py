"""--features: what a layer answers, in NumPy's files."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import engine
from cli import main
from engine.report.features import feature_file

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
WEIGHTS = ROOT / "weights" / "mnist_dense.h5"


def infer(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def layer() -> str:
    return engine.load_model(WEIGHTS).layers[-2].name


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_features_are_those_of_the_model(suffix: str, layer: str, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"bad")
    out = tmp_path / f"f{suffix}"
    result = infer(tmp_path / "bad.png", SAMPLES, "--weights", WEIGHTS, "--features", layer, "-o", out)
    assert result.exit_code == 3, result.output
    loaded = np.load(out, allow_pickle=False)
    found = loaded["features"] if suffix == ".npz" else loaded
    classifier = engine.Classifier(WEIGHTS)
    paths = sorted(SAMPLES.iterdir())
    inputs = np.stack(
        [classifier.prepare(classifier.decode(path)) for path in paths if path.suffix in (".png", ".jpg")]
    )
    assert found.dtype == np.float32
    assert np.isnan(found[0]).all()
    assert found[1:].tobytes() == np.ascontiguousarray(classifier.model.features(inputs, layer)).tobytes()
    if suffix == ".npz":
        assert sorted(loaded.files) == ["errors", "features", "paths"]
        assert loaded["paths"][0] == str(tmp_path / "bad.png")
        assert len(loaded["paths"]) == len(found)
        assert [bool(error) for error in loaded["errors"]] == [True] + [False] * (len(found) - 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.png", out.name]


def test_an_unknown_layer_is_one_line(tmp_path: Path) -> None:
    result = infer(SAMPLES, "--weights", WEIGHTS, "--features", "nowhere", "-o", tmp_path / "f.npy", "-q")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "nowhere" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rows", [[], [None], [None, None, 3, None, 4], [1]], ids=str)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_rows_and_gaps(rows: list[int | None], suffix: str, tmp_path: Path) -> None:
    names = [f"{'long' * i}\udce9\n" for i in range(len(rows))]
    with feature_file(tmp_path / f"f{suffix}") as add:
        for name, row in zip(names, rows, strict=True):
            add(name, None if row is None else np.full((2, 3), row, np.float32), "" if row else "bad")
    loaded = np.load(tmp_path / f"f{suffix}", allow_pickle=False)
    found = loaded["features"] if suffix == ".npz" else loaded
    assert found.shape == (len(rows), *((2, 3) if any(rows) else (0,)))
    for row, array in zip(rows, found, strict=True):
        assert np.array_equal(array, np.full(array.shape, np.nan if row is None else row), equal_nan=True)
    if suffix == ".npz":
        assert loaded["paths"].tolist() == names
        assert loaded["errors"].tolist() == ["" if row else "bad" for row in rows]


def test_scalars_are_rows_too(tmp_path: Path) -> None:
    with feature_file(tmp_path / "f.npy") as add:
        add("a", np.float32(2), "")  # type: ignore[arg-type]
        add("b", None, "bad")
    assert np.array_equal(np.load(tmp_path / "f.npy"), [2, np.nan], equal_nan=True)


def test_a_failed_run_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(AttributeError), feature_file(tmp_path / "f.npz") as add:
        add("a", "no array", "")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
