"""The options that say how images become a model's input, and its outputs answers: shared by several commands."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

OPTIONS = (
    click.option(
        "--preprocess",
        type=click.Choice(["none", "unit", "tf", "caffe", "torch"]),
        show_default="what the model's .json says, else by the model",
        help="How pixels of 0 to 255 are scaled.",
    ),
    click.option(
        "--invert",
        type=click.Choice(["no", "yes", "auto"]),
        show_default="what the model's .json says, else no",
        help="Swap dark and light; auto: if the border is bright.",
    ),
    click.option("--labels", type=click.Path(path_type=Path), help="Names of the classes: one a line, or a JSON list."),
)
NAMES = ("preprocess", "invert", "labels")


def picture_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; its function gets `picture`: keyword arguments for `Classifier`."""

    @wraps(function)
    def command(*args: Any, **options: Any) -> Any:
        given = {name: options.pop(name) for name in NAMES}
        return function(*args, picture={name: value for name, value in given.items() if value is not None}, **options)

    for option in reversed(OPTIONS):
        command = option(command)
    return command
