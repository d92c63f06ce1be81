"""The command `infer`: parse, call the engine, print. Data to stdout, everything else to stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from engine.commands import Commands
from engine.commands.options import EXIT_CODES, complete_files
from engine.commands.signals import Interrupts
from engine.errors import EngineError, UnsupportedLayerError

if TYPE_CHECKING:
    from click import Group as DefaultGroup
else:
    from click_default_group import DefaultGroup


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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, or where none fits, files: a shell takes the files' item as what is left."""
        return [*complete_files(), *super().shell_complete(ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _log_on_stderr(), Interrupts():
                return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            _stop(ctx, str(interrupt) or "Interrupted", getattr(interrupt, "code", 130))
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
    level = logger.level
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from engine.commands.version import version_lines

        for line in version_lines():
            click.echo(line)
        ctx.exit()


@click.group(
    cls=Infer,
    commands=Commands(),
    default="classify",
    subcommand_metavar="PATHS... --weights FILE | COMMAND [ARGS]...",
    options_metavar="",
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the versions of what matters and exit.",
)
def main() -> None:
    """Classify images with a Keras model, without Keras.

    PATHS are image files and folders: `infer images/ --weights mnist.h5` says what each image shows.
    A folder that is named like a command is written with a slash, as in ./summary
    """
