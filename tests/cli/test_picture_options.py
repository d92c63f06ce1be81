"""The options on images: what they hand to a Classifier, and that they offer what the engine has."""

import ast
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from engine.commands import picture_options as options
from engine.images.metadata import ACTIVATIONS
from engine.images.preprocess import INVERT, PREPROCESS
from engine.images.resize import RESIZE
from tests.fake_model import FakeModel


@click.command()
@options.picture_options
def show(picture: dict[str, Any]) -> None:
    click.echo(repr(picture))


def given(*arguments: str) -> Any:
    result = CliRunner().invoke(show, arguments)
    return ast.literal_eval(result.output) if result.exit_code == 0 else result.output


def test_what_is_offered_is_what_there_is() -> None:
    assert tuple(RESIZE) == options.RESIZE
    assert ("auto", *PREPROCESS) == options.PREPROCESS
    assert options.INVERT == INVERT
    assert options.ACTIVATIONS == ACTIVATIONS


def test_only_what_is_given_is_handed_on() -> None:
    assert given() == {}
    assert given("--exif", "--multi-label") == {"exif": True, "multi_label": True}
    assert given("--resize", "pad", "--preprocess", "tf", "--invert", "auto", "--activation", "softmax") == {
        "resize": "pad",
        "preprocess": "tf",
        "invert": "auto",
        "activation": "softmax",
    }


def test_numbers() -> None:
    assert given("--scale", "1/255", "--mean", "0.5, 0.25,1", "--std", "-2e-1") == {
        "scale": 1 / 255,
        "mean": (0.5, 0.25, 1.0),
        "std": (-0.2,),
    }


@pytest.mark.parametrize(
    "arguments", [("--scale", "1/0"), ("--scale", "1,2"), ("--mean", "a"), ("--std", ""), ("--std", "1,")]
)
def test_what_are_no_numbers(arguments: tuple[str, str]) -> None:
    assert f"Invalid value for '{arguments[0]}'" in given(*arguments)


@pytest.mark.parametrize(
    ("text", "size"), [("224", (224, 224)), ("224x160", (224, 160)), ("9 X 8", (9, 8)), ("7×6", (7, 6))]
)
def test_sizes(text: str, size: tuple[int, int]) -> None:
    assert given("--size", text) == {"size": size}


@pytest.mark.parametrize("text", ["", "x", "-4", "4x", "4x5x6", "1.5"])
def test_what_are_no_sizes(text: str) -> None:
    assert "Invalid value for '--size'" in given("--size", text)


def test_decisions_and_their_reasons(infer: Any, folder: Path, model: FakeModel) -> None:
    model.input_shape, model.name = (None, 28, 28, 3), "vgg16"
    (folder / "labels.txt").write_text("\n".join("abcdefghij"))
    brief, full = infer("images", "--resize", "crop"), infer("images", "--resize", "crop", "-v")
    line = "Images: size 28 × 28, resize crop, preprocess caffe, invert no, labels names, scores softmax"
    assert line in brief.stderr.splitlines()
    assert {
        "size 28 × 28: the model's input",
        "resize crop: asked for",
        "preprocess caffe: vgg16 is a model of keras.applications",
        "invert no: the default",
        "exif ignored: the default",
        "labels names: labels.txt",
        "scores softmax: the model ends in softmax",
    } <= set(full.stderr.splitlines())
    assert "Images:" not in infer("images", "-q").stderr
