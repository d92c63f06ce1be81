"""Options and arguments that several commands share."""

import os
from pathlib import Path
from typing import Any

import click

from engine.errors import ModelFileError

EXIT_CODES = (
    "Exit codes: 0 all well, 1 failed, 2 wrong usage, 3 some images could not be read, "
    "4 unsupported model, 130 interrupted."
)


class InputPath(click.Path):
    """An existing file or folder; a word that nearly names a command gets a hint."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if ctx and ctx.parent and isinstance(ctx.parent.command, click.Group) and not os.path.lexists(value):
            from difflib import get_close_matches

            if close := get_close_matches(value, ctx.parent.command.commands, n=1):
                self.fail(f"{value!r} is no file, no folder and no command. Did you mean {close[0]!r}?", param, ctx)
        return super().convert(value, param, ctx)


class ArchPath(click.Path):
    """An existing file, or the name of a model of keras.applications."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not os.path.lexists(value):
            from engine.frontend.architectures import architecture, similar

            return value if architecture(value) else self.fail(f"{value!r}: {similar(value)}", param, ctx)
        return super().convert(value, param, ctx)


def find_weights(name: str) -> Path:
    """A path as it is; a bare name in the working directory, in `weights/`, then among the shipped models."""
    path = Path(name)
    if path.name != name:
        return path
    from engine.shipped import SHIPPED, shipped_model

    for found in (path, "weights" / path, shipped_model(name)):
        if found and found.exists():
            click.echo(f"Using {found}", err=True)
            return found
    raise ModelFileError(f"{name}: no such file here or in weights/, nor one of the shipped {', '.join(SHIPPED)}")


weights_option = click.option(
    "--weights",
    required=True,
    metavar="FILE",
    help="Keras model (.h5, .keras). A bare name is looked up here, in weights/, then among the shipped models.",
)

arch_option = click.option(
    "--arch",
    metavar="FILE|NAME",
    type=ArchPath(exists=True),
    help="Description of the model, where FILE has only weights: JSON, YAML, another model, or a name of "
    "keras.applications such as MobileNetV2 (MobileNetV2@160 for images of 160 pixels).",
)
