"""The options that say how images become a model's input, and its outputs answers: shared by several commands."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.commands.options import is_verbose, say, verbosity_options

if TYPE_CHECKING:
    from engine.classify import Classifier

RESIZE = ("keras", "nearest", "lanczos-fit", "pad", "crop")
PREPROCESS = ("auto", "none", "unit", "tf", "caffe", "torch", "mnist", "teachable-machine")
INVERT = ("no", "yes", "auto")
ACTIVATIONS = ("none", "softmax", "sigmoid")


def numbers(text: str) -> tuple[float, ...]:
    """Numbers and fractions like 1/255, with commas between them."""
    from fractions import Fraction

    try:
        return tuple(float(Fraction(part.strip())) for part in text.split(","))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise click.BadParameter(f"{text!r} is not a number like 0.5 or 1/255, nor several with commas") from None


def number(text: str) -> float:
    """One of them."""
    found = numbers(text)
    if len(found) != 1:
        raise click.BadParameter(f"{text!r} is not one number")
    return found[0]


def sides(text: str) -> tuple[int, int]:
    """`224`, or height and width as `224x160`."""
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(f"{text!r} is not a size like 224 or 224x160")
    return int(parts[0]), int(parts[-1])


OPTIONS = (
    click.option(
        "--labels",
        metavar="FILE",
        type=click.Path(path_type=Path),
        show_default="beside the model",
        help="Names of the classes: .txt (one a line), .json (list or map) or .csv.",
    ),
    click.option(
        "--size",
        metavar="N|HxW",
        type=sides,
        show_default="the model's own",
        help="Height and width of images, where the model leaves them open.",
    ),
    click.option(
        "--resize",
        type=click.Choice(RESIZE),
        show_default="keras",
        help="keras: image_dataset_from_directory (crop, pad: to aspect ratio); nearest: load_img; "
        "lanczos-fit: Teachable Machine.",
    ),
    click.option(
        "--preprocess",
        type=click.Choice(PREPROCESS),
        show_default="auto",
        help="How pixels of 0 to 255 are scaled; auto: as the files say, else by the model.",
    ),
    click.option("--scale", metavar="NUMBER", type=number, help="In place of --preprocess: times this, as 1/255;"),
    click.option("--mean", metavar="NUMBERS", type=numbers, help="then less this, one number or one a channel;"),
    click.option("--std", metavar="NUMBERS", type=numbers, help="then divided by this."),
    click.option(
        "--invert",
        type=click.Choice(INVERT),
        show_default="no",
        help="Swap dark and light; auto: if the border is bright.",
    ),
    click.option("--exif", is_flag=True, default=None, help="Turn images as their EXIF orientation says."),
    click.option(
        "--activation",
        type=click.Choice(ACTIVATIONS),
        show_default="as the model says",
        help="What makes scores of the model's outputs.",
    ),
    click.option("--multi-label", is_flag=True, default=None, help="Each label has its own probability (sigmoids)."),
)
NAMES = (
    "labels",
    "size",
    "resize",
    "preprocess",
    "scale",
    "mean",
    "std",
    "invert",
    "exif",
    "activation",
    "multi_label",
)


def picture_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options, -v and -q to a command; its function gets `picture`: keyword arguments for `Classifier`."""

    @wraps(function)
    def command(*args: Any, **options: Any) -> Any:
        given = {name: options.pop(name) for name in NAMES}
        return function(*args, picture={name: value for name, value in given.items() if value is not None}, **options)

    for option in reversed(OPTIONS):
        command = option(command)
    return verbosity_options(command)


def say_decisions(classifier: "Classifier") -> None:
    """Say on stderr how images are treated: one line, or with -v a line for each decision with its reason."""
    if not is_verbose():
        say(f"Images: {classifier.decisions}")
        return
    for name, value, reason in classifier.decisions.items():
        say(f"{name} {value}: {reason}")
