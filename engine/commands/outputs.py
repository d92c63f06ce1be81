"""The options that say what becomes of the answers: form, place, and how a run is continued."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.commands.options import say

if TYPE_CHECKING:
    from engine.report import Layout, Record

FORMATS = ("table", "csv", "tsv", "json", "jsonl", "parquet")
SUFFIXES = {".txt": "table", ".ndjson": "jsonl", **{f".{name}": name for name in FORMATS[1:]}}
STDOUT = Path("-")
RESUMABLE = ("csv", "tsv", "jsonl", "parquet")


@dataclass
class Writer:
    """Where records go. `is_done` tells the paths that an earlier run has answered; `failed` counts its errors."""

    layout: "Layout"
    write: Callable[[str], Any]
    is_done: Callable[[str], bool] = lambda path: False
    found: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Output:
    """The options: the form of records, the file or None for stdout, and whether to continue what is there."""

    format_name: str
    path: Path | None
    resume: bool

    @contextmanager
    def open(self, layout: "Layout") -> Iterator[Writer]:
        """What takes the records' text. A file is written whole; parts of those that can be continued stay."""
        from engine.output import destination

        if self.format_name == "parquet":
            from engine.report.parquet import require_pyarrow

            require_pyarrow()
        if self.path is None or self.format_name not in RESUMABLE or _is_special(self.path):
            with destination(self.path, for_reading=self.format_name == "table") as write:
                yield Writer(layout, write)
            return
        from engine.journal import Journal

        journal = Journal(self.path, self.format_name, layout)
        try:
            with journal.open(self.resume) as file:
                if journal.found:
                    say(f"{journal.found:,} records are there already")

                def write(text: str) -> None:
                    file.write(text.encode("utf-8", "surrogateescape"))
                    file.flush()

                layout = replace(layout, resumed=journal.resumed)
                yield Writer(layout, write, journal.is_done, journal.found, journal.failed)
        except (Exception, KeyboardInterrupt):
            if journal.partial.exists():
                say(f"What is done is in {journal.partial}; --resume continues it")
            raise

    def texts(self, records: "Iterator[Record]", layout: "Layout") -> "Iterator[str]":
        """The records in this form. Parquet begins as JSON lines."""
        from engine import report

        return report.FORMATS["jsonl" if self.format_name == "parquet" else self.format_name](records, layout)


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --format, --output and --resume to a command; its function gets `output`."""

    @wraps(function)
    def command(*args: Any, **options: Any) -> Any:
        format_name, path, resume = (options.pop(name) for name in ("format", "output", "resume"))
        return function(*args, output=_checked(format_name, path, resume), **options)

    for option in reversed(OPTIONS):
        command = option(command)
    return command


def _checked(format_name: str | None, path: Path | None, resume: bool) -> Output:
    path = None if path == STDOUT else path
    name = format_name or (SUFFIXES.get(path.suffix.lower(), "table") if path else "table")
    if name == "parquet" and (path is None or _is_special(path)):
        raise click.UsageError("parquet needs a file: -o FILE.parquet")
    if resume and (path is None or _is_special(path) or name not in RESUMABLE):
        raise click.UsageError(f"--resume continues a file of {', '.join(RESUMABLE)}: -o FILE.jsonl")
    return Output(name, path, resume)


OPTIONS = (
    click.option(
        "--format",
        type=click.Choice(FORMATS),
        show_default="by the suffix of --output, else table",
        help="Form of the results.",
    ),
    click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write, instead of stdout (-)."),
    click.option(
        "--resume",
        is_flag=True,
        help="Continue the --output of an interrupted run: FILE.partial beside it has what is done.",
    ),
)
