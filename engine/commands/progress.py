"""What is said while images go by, and what is counted."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock
from typing import Any

import click

from engine.commands.options import is_quiet

SECONDS = 0.1


class Clock:
    """Counts images and errors, and the seconds spent on each stage, over all threads."""

    STAGES = ("decoding", "preprocessing", "inference")

    def __init__(self) -> None:
        self.images = self.failed = self.before = 0
        self._seconds = dict.fromkeys(self.STAGES, 0.0)
        self._start = time.perf_counter()
        self._lock = Lock()

    def resume(self, images: int, failed: int) -> None:
        """Count what an earlier run has answered."""
        self.images, self.failed, self.before = images, failed, images

    def count(self, failed: bool) -> None:
        """One more image is answered."""
        self.images += 1
        self.failed += failed

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what the block does."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[name] += time.perf_counter() - start

    @property
    def rate(self) -> float:
        """Images a second since the start."""
        return (self.images - self.before) / max(time.perf_counter() - self._start, 1e-9)

    def __str__(self) -> str:
        """One line: images, seconds, images a second, and the stages, which overlap."""
        seconds = time.perf_counter() - self._start
        stages = ", ".join(f"{name} {spent:.2f} s" for name, spent in self._seconds.items())
        return f"{self.images - self.before:,} images in {seconds:.2f} s, {self.rate:,.0f} images/s ({stages})"


class Progress:
    """A bar that may be absent: how many of how many, time left, rate, errors so far."""

    def __init__(self, clock: Clock, bar: Any = None) -> None:
        self._clock, self._bar = clock, bar
        self._shares_terminal = bar is not None and sys.stdout is not None and sys.stdout.isatty()
        self._drawn, self._pending = 0.0, 0

    def advance(self) -> None:
        """One more image is answered."""
        if self._bar is None:
            return
        self._pending += 1
        if time.perf_counter() - self._drawn > SECONDS:
            self.draw()

    def draw(self) -> None:
        """Show the state as it is."""
        if self._bar is not None:
            errors = f", {self._clock.failed:,} failed" if self._clock.failed else ""
            self._bar.update(self._pending, f"{self._clock.rate:,.0f} images/s{errors}")
            self._drawn, self._pending = time.perf_counter(), 0

    def clear(self) -> None:
        """Make room for a line of output."""
        if self._shares_terminal:
            click.echo("\r\x1b[K", nl=False, err=True)


def on_terminal() -> bool:
    """Whether stderr can show a bar, and may."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not is_quiet()


@contextmanager
def progress(clock: Clock, length: int | None) -> Iterator[Progress]:
    """A bar on stderr if that is a terminal; `length` is the number of images, None if it is not known."""
    if not on_terminal():
        yield Progress(clock)
        return
    remaining = None if length is None else max(length - clock.before, 0)
    with click.progressbar(
        count(), length=remaining, file=sys.stderr, show_pos=True, item_show_func=lambda text: str(text or "")
    ) as bar:
        shown = Progress(clock, bar)
        yield shown
        shown.draw()
