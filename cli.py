"""The command `infer`: parse, call the engine, print. Data to stdout, everything else to stderr."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import EngineError, ImageError, ModelFileError, UnsupportedLayerError

if TYPE_CHECKING:
    from click import Group as DefaultGroup

    from engine.report import Record
else:
    from click_default_group import DefaultGroup

EXIT_CODES = (
    "Exit codes: 0 all well, 1 failed, 2 wrong usage, 3 some images could not be read, "
    "4 unsupported model, 130 interrupted."
)


class Infer(DefaultGroup):
    """A group that shows its default command's options, and turns every expected error into one line."""

    default_cmd_name: str

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        command = self.commands[self.default_cmd_name]
        inner = click.Context(command, info_name=command.name, parent=ctx)
        options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
        with formatter.section(f"Options of {command.name}, the default command"):
            formatter.write_dl([record for o in options if (record := o.get_help_record(inner))])
        super().format_options(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _log_on_stderr():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            _stop(ctx, "Interrupted", 130)
        except UnsupportedLayerError as error:
            _stop(ctx, f"Error: {error}", 4)
        except EngineError as error:
            _stop(ctx, f"Error: {error}", 1)
        except OSError as error:
            from engine.output import discard_stdout_if_broken

            discard_stdout_if_broken()
            if isinstance(error, BrokenPipeError):
                ctx.exit(0)
            _stop(ctx, f"Error: {error.filename or 'stdout'}: {error.strerror}", 1)


def _stop(ctx: click.Context, message: str, code: int) -> None:
    click.echo(" ".join(message.split()), err=True)
    ctx.exit(code)


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    """Print what the engine logs, one line a message."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            click.echo(f"{record.levelname.capitalize()}: {record.getMessage()}", err=True)

    logger, handler = logging.getLogger("engine"), Handler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class InputPath(click.Path):
    """An existing file or folder; a word that nearly names a command gets a hint."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if ctx and ctx.parent and isinstance(ctx.parent.command, click.Group) and not os.path.lexists(value):
            from difflib import get_close_matches

            if close := get_close_matches(value, ctx.parent.command.commands, n=1):
                self.fail(f"{value!r} is no file, no folder and no command. Did you mean {close[0]!r}?", param, ctx)
        return super().convert(value, param, ctx)


def _find_weights(name: str) -> Path:
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
    metavar="FILE",
    type=click.Path(exists=True),
    help="Description of the model, where FILE has only weights: JSON, YAML or another model.",
)


@click.group(
    cls=Infer,
    default="classify",
    subcommand_metavar="PATHS... --weights FILE | COMMAND [ARGS]...",
    options_metavar="",
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="numba-infer", prog_name="infer")
def main() -> None:
    """Classify images with a Keras model, without Keras.

    PATHS are image files and folders: `infer images/ --weights mnist.h5` says what each image shows.
    A folder that is named like a command is written with a slash, as in ./summary
    """


@main.command(epilog=EXIT_CODES)
@click.argument("paths", nargs=-1, required=True, type=InputPath(exists=True, path_type=Path))
@weights_option
@click.option("--top-k", type=click.IntRange(1), default=1, show_default=True, help="How many best classes to give.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["table", "csv", "json", "jsonl"]),
    default="table",
    show_default=True,
    help="Form of the results.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write, instead of stdout.")
@click.option("--labels", type=click.Path(path_type=Path), help="Names of the classes: one a line, or a JSON list.")
@click.option(
    "--invert",
    type=click.Choice(["no", "yes", "auto"]),
    show_default="what the model's .json says, else no",
    help="Swap dark and light; auto: if the border is bright.",
)
@click.option("--batch-size", type=click.IntRange(1, 4096), default=32, show_default=True, help="Images at a time.")
@click.option("--threads", type=click.IntRange(1, 1024), show_default="the processors there are", help="Threads.")
@arch_option
@click.pass_context
def classify(
    ctx: click.Context,
    paths: tuple[Path, ...],
    weights: str,
    top_k: int,
    format_name: str,
    output: Path | None,
    labels: Path | None,
    invert: str | None,
    batch_size: int,
    threads: int | None,
    arch: str | None,
) -> None:
    """Say what each image shows (the default command).

    Folders are searched to their depth; hidden files and those without an image's suffix are skipped.
    An image that cannot be read becomes an error record, and the others go on.
    """
    import warnings

    from engine import Classifier
    from engine.images.files import find_images
    from engine.output import destination
    from engine.report import FORMATS

    warnings.filterwarnings("ignore", module="PIL")
    path = _find_weights(weights)
    classifier = Classifier(path, labels=labels, invert=invert, top_k=top_k, threads=threads, arch=arch)
    tally = Tally()
    with destination(output, for_reading=format_name == "table") as write, _progress(paths) as bar:
        records = tally.records(classifier.stream(find_images(paths), batch_size), bar)
        for text in FORMATS[format_name](records, classifier.top_k):
            bar.clear()
            write(text)
        if tally.interrupted:
            raise KeyboardInterrupt
    if tally.failed:
        click.echo(f"{tally.failed} of {tally.images} images could not be read", err=True)
        ctx.exit(3)
    if not tally.images:
        click.echo("No images found", err=True)


class Progress:
    """A bar that may be absent."""

    def __init__(self, advance: Callable[[int], None] | None = None) -> None:
        self._advance = advance
        self._shares_terminal = advance is not None and sys.stdout.isatty()

    def advance(self) -> None:
        if self._advance:
            self._advance(1)

    def clear(self) -> None:
        """Make room for a line of output."""
        if self._shares_terminal:
            click.echo("\r\x1b[K", nl=False, err=True)


@contextmanager
def _progress(paths: tuple[Path, ...]) -> Iterator[Progress]:
    """A bar on stderr if that is a terminal."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Progress()
        return
    from engine.images.files import find_images

    count = sum(1 for _ in find_images(paths))
    with click.progressbar(length=count, file=sys.stderr, show_pos=True) as bar:
        yield Progress(bar.update)


class Tally:
    """Counts records on their way, and ends them at Ctrl-C so that the output stays whole."""

    def __init__(self) -> None:
        self.images = 0
        self.failed = 0
        self.interrupted = False

    def records(self, outcomes: Iterable[tuple[Path, Any]], bar: Progress) -> Iterator["Record"]:
        from engine.report import Record

        try:
            for path, outcome in outcomes:
                self.images += 1
                self.failed += isinstance(outcome, ImageError)
                yield Record(str(path), outcome)
                bar.advance()
        except KeyboardInterrupt:
            self.interrupted = True


@main.command()
@weights_option
@arch_option
def summary(weights: str, arch: str | None) -> None:
    """Print a model's layers, their output shapes and parameters."""
    from engine import load_model

    load_model(_find_weights(weights), arch=arch).summary(print_fn=click.echo)


@main.command(epilog=EXIT_CODES)
@click.argument("file", metavar="FILE")
@arch_option
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.pass_context
def inspect(ctx: click.Context, file: str, arch: str | None, as_json: bool) -> None:
    """Say what a model file holds and whether it runs, without running it: every layer, and why not."""
    from engine import inspect_model

    found = inspect_model(_find_weights(file), arch=arch)
    if as_json:
        import json

        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        click.echo(str(found))
    ctx.exit(4 if found.unsupported else 0 if found.runs else 1)


@main.command()
def warmup() -> None:
    """Compile every kernel into the cache, so that no later run has to."""
    from engine.runtime.warmup import warmup as compile_all

    click.echo(f"{compile_all()} kernels are ready", err=True)
