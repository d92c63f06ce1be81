"""`infer eval DATA --weights FILE`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def data(folder: Path) -> Path:
    """Two images of class 2 and one of class 4, all but one of which are recognised."""
    for name, values in {"2": (51, 102), "4": (102,)}.items():
        (folder / "data" / name).mkdir(parents=True)
        for value in values:
            Image.new("L", (28, 28), value).save(folder / "data" / name / f"{value}.png")
    return folder / "data"


@pytest.mark.usefixtures("data")
def test_text(infer: Any) -> None:
    result = infer("eval", "data")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "accuracy 0.6667 (2 of 3)"
    assert "2           2        1  0.5000     1.0000  0.6667" in lines
    assert "2  0  0  1  0  1  0  0  0  0  0" in lines
    assert result.stderr == (
        "Using m.h5\nImages: size 28 × 28, resize keras, preprocess unit, invert no, labels indices, scores softmax\n"
    )


@pytest.mark.usefixtures("data")
def test_json(infer: Any) -> None:
    result = infer("eval", "data", "--json", "--preprocess", "mnist")
    values = json.loads(result.stdout)
    assert (values["images"], values["correct"]) == (3, 2)
    assert values["decisions"]["preprocess"] == {"value": "mnist", "reason": "asked for"}
    assert len(values["confusion"]) == len(values["classes"]) == 10


@pytest.mark.usefixtures("data")
def test_picture(infer: Any, folder: Path) -> None:
    assert infer("eval", "data", "--confusion", "matrix.png").exit_code == 0
    with Image.open(folder / "matrix.png") as image:
        assert image.format == "PNG"
    result = infer("eval", "data", "--confusion", "nowhere/matrix.png")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: nowhere/matrix.png: ")


def test_npz(infer: Any, folder: Path) -> None:
    np.savez(folder / "data.npz", x=np.full((4, 28, 28), 102, np.uint8), y=[4, 4, 4, 0])
    assert infer("eval", "data.npz").stdout.startswith("accuracy 0.7500 (3 of 4)\n")


def test_an_image_that_cannot_be_read(infer: Any, data: Path) -> None:
    (data / "4" / "broken.png").write_bytes(b"\x89PNG")
    result = infer("eval", "data")
    assert result.exit_code == 3
    assert result.stdout.startswith("accuracy 0.6667 (2 of 3)\n")
    assert result.stderr.splitlines()[-2].startswith("data/4/broken.png: not an image")
    assert result.stderr.splitlines()[-1] == "1 of 4 images could not be read"


def test_data_that_do_not_fit_are_one_line(infer: Any, folder: Path) -> None:
    (folder / "data" / "cat").mkdir(parents=True)
    result = infer("eval", "data")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == ("Error: data: 'cat' is no class; they are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9")


def test_a_folder_without_images(infer: Any, folder: Path) -> None:
    (folder / "data" / "3").mkdir(parents=True)
    result = infer("eval", "data")
    assert result.exit_code == 0
    assert result.stdout.startswith("accuracy – (0 of 0)\n")
    assert result.stderr.splitlines()[-1] == "No images found"
