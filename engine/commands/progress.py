"""What is said while images go by, and what is counted."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import ImageError

if TYPE_CHECKING:
    from engine.report import Record


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
def progress(paths: tuple[Path, ...]) -> Iterator[Progress]:
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
