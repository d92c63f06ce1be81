"""`infer init FILE`: what it writes, and that nothing is lost where it cannot."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

import engine
from cli import main
from engine.classify import Classifier
from engine.errors import ModelFileError
from engine.frontend import notes
from engine.frontend.notes import MAX_BYTES, NOTE, read_note, write_note
from engine.images.in_file import write_in_file
from engine.images.metadata import Metadata

WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "mnist_dense.h5"
TEN = [f"class {i}" for i in range(10)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: m.h5, and names.txt with a name for each of its classes."""
    shutil.copy(WEIGHTS, tmp_path / "m.h5")
    (tmp_path / "names.txt").write_text("\n".join(TEN))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def init(folder: Path) -> Callable[..., Result]:
    """Runs `infer init` with the arguments."""

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, ["init", *arguments], prog_name="infer")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return run


def said(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_sidecar(init: Any, folder: Path) -> None:
    result = init("m.h5", "--labels", "names.txt", "--preprocess", "tf")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == "Wrote m.json"
    assert said(folder / "m.json") == {"labels": TEN, "preprocess": "tf"}
    classifier = Classifier(folder / "m.h5")
    assert classifier.classes == tuple(TEN)
    assert classifier.preprocess == "tf"
    assert "preprocess tf: m.json" in init("m.h5", "--exif", "-v").stderr


def test_every_option_is_written(init: Any, folder: Path) -> None:
    options = "--scale 1/255 --mean 0.5 --resize crop --invert auto --exif --activation sigmoid --multi-label"
    assert init("m.h5", *options.split()).exit_code == 0
    assert said(folder / "m.json") == {
        "preprocess": {"scale": 1 / 255, "mean": [0.5], "std": [1.0]},
        "resize": "crop",
        "invert": "auto",
        "exif": True,
        "activation": "sigmoid",
        "multi_label": True,
    }


def test_what_is_not_asked_for_again_stays(init: Any, folder: Path) -> None:
    (folder / "m.json").write_text('{"labels": ["a","b","c","d","e","f","g","h","i","é"], "preprocess": "unit"}')
    init("m.h5", "--preprocess", "mnist", "--invert", "no")
    assert said(folder / "m.json") == {"labels": list("abcdefghié"), "preprocess": "mnist", "invert": "no"}


@pytest.mark.parametrize("content", ['{"class_name": "Sequential", "config": {}}', "[1]", "{"])
def test_another_file_of_that_name_is_left_alone(content: str, init: Any, folder: Path) -> None:
    (folder / "m.json").write_text(content)
    result = init("m.h5", "--preprocess", "unit")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: m.json")
    assert (folder / "m.json").read_text() == content


def test_nothing_asked_for_is_wrong_usage(init: Any, folder: Path) -> None:
    result = init("m.h5")
    assert result.exit_code == 2
    assert "--labels" in result.stderr
    assert not (folder / "m.json").exists()


def test_what_does_not_fit_the_model_is_not_written(init: Any, folder: Path) -> None:
    (folder / "two.txt").write_text("a\nb")
    for options in (["--labels", "two.txt"], ["--preprocess", "caffe"], ["--mean", "1,2"]):
        assert init("m.h5", *options).exit_code == 1
    assert not (folder / "m.json").exists()


def test_in_file(init: Any, folder: Path) -> None:
    path = folder / "m.h5"
    os.chmod(path, 0o640)
    assert init("m.h5", "--labels", "names.txt", "--in-file").exit_code == 0
    result = init("m.h5", "--preprocess", "tf", "--in-file")
    assert result.stderr.splitlines()[-1] == "Wrote m.h5"
    with h5py.File(path) as file, h5py.File(WEIGHTS) as before:
        assert set(file.attrs) == {*before.attrs, NOTE}
        assert json.loads(file.attrs[NOTE]) == {"labels": TEN, "preprocess": "tf"}
    old, new = engine.load_model(WEIGHTS), engine.load_model(path)
    assert [layer.name for layer in new.layers] == [layer.name for layer in old.layers]
    for mine, theirs in zip(new.layers, old.layers, strict=True):
        assert all(map(np.array_equal, mine.get_weights(), theirs.get_weights()))
    assert path.stat().st_mode & 0o777 == 0o640
    assert not (folder / "m.json").exists()


def test_metadata_in_the_file_goes_before_the_sidecar(init: Any, folder: Path) -> None:
    init("m.h5", "--preprocess", "tf", "--in-file")
    init("m.h5", "--preprocess", "unit", "--resize", "crop")
    result = init("m.h5", "--invert", "no", "-v")
    assert "preprocess tf: the metadata in m.h5" in result.stderr
    assert "resize crop: m.json" in result.stderr


def test_only_hdf5_has_attributes(folder: Path) -> None:
    path = folder / "m.keras"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelFileError, match=r"m\.keras: is no HDF5 file"):
        write_in_file(path, Metadata(preprocess="tf"))
    assert path.read_bytes() == b"PK\x03\x04"


def test_metadata_comes_out_of_the_sandbox(init: Any, folder: Path) -> None:
    init("m.h5", "--preprocess", "tf", "--in-file")
    assert Classifier(folder / "m.h5", sandbox=True).preprocess == "tf"


def test_too_much_for_an_attribute(init: Any, folder: Path) -> None:
    before = (folder / "m.h5").read_bytes()
    (folder / "long.txt").write_text("\n".join(str(i) * MAX_BYTES for i in range(10)))
    result = init("m.h5", "--labels", "long.txt", "--in-file")
    assert result.exit_code == 1
    assert "m.h5: has no room for" in result.stderr
    assert (folder / "m.h5").read_bytes() == before


def test_the_longest_text_that_is_taken(init: Any, folder: Path) -> None:
    text = "a" * MAX_BYTES
    write_note(folder / "m.h5", text)
    assert read_note(folder / "m.h5") == text


@pytest.mark.parametrize("failing", ["_write", "os.replace"])
def test_a_failure_leaves_the_file_as_it_was(
    failing: str, init: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / "m.h5").read_bytes()

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(notes if failing == "_write" else os, failing.removeprefix("os."), fail)
    with pytest.raises(ModelFileError, match=r"m\.h5: cannot be written: No space left"):
        write_note(folder / "m.h5", "{}")
    assert (folder / "m.h5").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["m.h5", "names.txt"]


@pytest.mark.parametrize("note", ["{", "[]", '{"preprocess": "x"}', '{"lables": []}'])
def test_bad_metadata_in_a_file_is_one_line_that_names_it(note: str, init: Any, folder: Path) -> None:
    write_note(folder / "m.h5", note)
    result = init("m.h5", "--invert", "no")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: m.h5: its metadata: ")
    assert len(result.stderr.splitlines()) == 1


def test_keras_passes_over_the_attribute(tmp_path: Path) -> None:
    python = os.environ.get("ENGINE_PARITY_PYTHON")
    if not python:
        pytest.skip("ENGINE_PARITY_PYTHON names no Python with Keras")
    noted = tmp_path / "noted.h5"
    shutil.copy(WEIGHTS, noted)
    write_note(noted, '{"preprocess": "unit"}')
    script = "import sys, keras, numpy as np; a, b = map(keras.models.load_model, sys.argv[1:]); "
    script += "assert all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))"
    subprocess.run([python, "-c", script, WEIGHTS, noted], check=True, capture_output=True)
