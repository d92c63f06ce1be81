"""The arguments and options that say which images a command is about."""

import glob
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from engine.commands.options import complete_files

if TYPE_CHECKING:
    from engine.images.sources import Source

STDIN = "-"


class InputPath(click.Path):
    """A file, a folder, a pattern that something matches, or `-`; what nearly names a command gets a hint."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        path: str = os.fspath(value)
        if path == STDIN or os.path.lexists(path) or (glob.has_magic(path) and glob.glob(path, recursive=True)):
            return path
        if ctx and ctx.parent and isinstance(ctx.parent.command, click.Group):
            from difflib import get_close_matches

            if close := get_close_matches(path, ctx.parent.command.commands, n=1):
                self.fail(f"{path!r} is no file, no folder and no command. Did you mean {close[0]!r}?", param, ctx)
        self.fail(f"nothing matches {path!r}" if glob.has_magic(path) else f"{path!r} does not exist", param, ctx)


class Inputs:
    """The images that a command was given. `named` are its arguments, `listed` the name of a list of paths."""

    def __init__(self, named: tuple[str, ...], listed: str | None, nul: bool, recursive: bool) -> None:
        self.named, self.listed = named, listed
        self._nul, self._recursive = nul, recursive

    def count(self) -> int | None:
        """How many images there are, None where that is not known before they are read."""
        from engine.images.sources import count_images

        return None if self.listed else count_images(self.named, self._recursive)

    def sources(self, stack: ExitStack) -> Iterator["Source"]:
        """The images in order: those of the arguments, then those of the list, which `stack` closes."""
        from engine.images.sources import sources, sources_of_paths
        from engine.images.sources.lists import listed_paths

        found = sources(self.named, self._recursive)
        if self.listed is None:
            return found
        file = stack.enter_context(_opened(self.listed))
        return chain(found, sources_of_paths(listed_paths(file, self.listed, self._nul), self._recursive))


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == STDIN:
        yield sys.stdin.buffer
    else:
        with open(path, "rb") as file:
            yield file


def input_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments PATHS and their options to a command; its function gets `inputs`."""
    from functools import wraps

    @wraps(function)
    def command(*args: Any, **options: Any) -> Any:
        names = ("paths", "from_file", "null", "recursive")
        paths, from_file, nul, recursive = (options.pop(name) for name in names)
        return function(*args, inputs=_checked(paths, from_file, nul, recursive), **options)

    for option in reversed(OPTIONS):
        command = option(command)
    return command


def _checked(paths: tuple[str, ...], listed: str | None, nul: bool, recursive: bool) -> Inputs:
    if not paths and not listed:
        raise click.UsageError("Missing argument 'PATHS...': image files and folders, or --from-file")
    if nul and not listed:
        raise click.UsageError("--null says how --from-file is written, which is missing")
    if paths.count(STDIN) + (listed == STDIN) > 1:
        raise click.UsageError("standard input can be read once only")
    if STDIN in (*paths, listed) and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError(
            f"'-' is standard input, which is {'closed' if sys.stdin is None else 'a terminal'} here"
        )
    return Inputs(paths, listed, nul, recursive)


OPTIONS = (
    click.argument("paths", nargs=-1, type=InputPath(), shell_complete=complete_files),
    click.option(
        "--from-file",
        metavar="FILE|-",
        type=click.Path(exists=True, dir_okay=False, allow_dash=True),
        help="List of paths, one a line; - for standard input.",
    ),
    click.option("-0", "--null", is_flag=True, help="Paths of --from-file end with NUL, as of `find -print0`."),
    click.option("--recursive/--no-recursive", default=True, help="Search folders to their depth (default), or not."),
)
