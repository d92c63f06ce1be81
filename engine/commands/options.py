"""Options and arguments that several commands share."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from engine.errors import ModelFileError

EXIT_CODES = (
    "Exit codes: 0 all well, 1 failed, 2 wrong usage, 3 some images could not be read, "
    "4 unsupported model, 130 interrupted, 143 terminated."
)


VERBOSITY = "infer.verbosity"


def say(message: str) -> None:
    """Print a line to stderr, unless the user asked for quiet."""
    if not is_quiet():
        click.echo(message, err=True)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines for people to stdout. Names come from files: what is not printable in them is escaped."""
    from engine.output import destination
    from engine.report.table import printable

    with destination(None, for_reading=True) as write:
        for line in lines:
            write(printable(line) + "\n")


def is_quiet() -> bool:
    """Whether -q was given."""
    return _verbosity() < 0


def is_verbose() -> bool:
    """Whether -v was given."""
    return _verbosity() > 0


def _verbosity() -> int:
    context = click.get_current_context(silent=True)
    return context.meta.get(VERBOSITY, 0) if context else 0


def _set_verbosity(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if not value:
        return
    if VERBOSITY in ctx.meta:
        raise click.UsageError("-v and -q exclude each other", ctx)
    import logging

    ctx.meta[VERBOSITY] = 1 if param.name == "verbose" else -1
    logging.getLogger("engine").setLevel(logging.INFO if param.name == "verbose" else logging.ERROR)


def verbosity_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add -v and -q to a command."""
    settings: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _set_verbosity}
    function = click.option("-q", "--quiet", **settings, help="Only errors on stderr: no progress, no warnings.")(
        function
    )
    return click.option("-v", "--verbose", **settings, help="Say more on stderr: why, and how long each stage took.")(
        function
    )


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
            say(f"Using {found}")
            return found
    raise ModelFileError(f"{name}: no such file here or in weights/, nor one of the shipped {', '.join(SHIPPED)}")


def complete_files(*_: object) -> list[CompletionItem]:
    """For shells: names of files."""
    return [CompletionItem("", type="file")]


weights_option = click.option(
    "--weights",
    required=True,
    metavar="FILE",
    shell_complete=complete_files,
    help="Keras model (.h5, .keras). A bare name is looked up here, in weights/, then among the shipped models.",
)

sandbox_option = click.option(
    "--sandbox",
    is_flag=True,
    help="Read the model's file in a process of its own with limits, so that damage in it can do no harm here.",
)

arch_option = click.option(
    "--arch",
    metavar="FILE|NAME",
    type=ArchPath(exists=True),
    help="Description of the model, where FILE has only weights: JSON, YAML, another model, or a name of "
    "keras.applications such as MobileNetV2 (MobileNetV2@160 for images of 160 pixels).",
)
