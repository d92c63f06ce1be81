"""Records read back from a file of them: which images an earlier run has answered for."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from engine.errors import InputError
from engine.report.lines import csv_columns
from engine.report.record import Layout


class Done(NamedTuple):
    """One record: its path as the file has it, and whether it is an error."""

    path: str
    failed: bool


def whole_records(file: BinaryIO, format_name: str, layout: Layout, path: Path) -> Iterator[tuple[int, Done | None]]:
    """Where each complete line ends, with its record, or None for a header. What is cut off at the end is left out.

    Raises InputError for what an interrupted run with this layout cannot have written.
    """
    if format_name in ("csv", "tsv"):
        return _csv_records(file, "," if format_name == "csv" else "\t", csv_columns(layout), path)
    return _json_records(file, layout, path)


def _csv_records(file: BinaryIO, delimiter: str, columns: list[str], path: Path) -> Iterator[tuple[int, Done | None]]:
    end, is_whole = 0, True

    def lines() -> Iterator[str]:
        nonlocal end, is_whole
        for line in file:
            end += len(line)
            is_whole = line.endswith(b"\n")
            yield line.decode("utf-8", "surrogateescape")

    rows = csv.reader(lines(), delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(rows):
            if not is_whole:
                return
            if len(row) != len(columns) or (number == 0 and row != columns):
                raise _other_options(path, number)
            yield end, Done(row[0], row[-1] != "") if number else None
    except csv.Error:
        if file.read(1):
            raise InputError(f"{path}: is not what an interrupted run leaves") from None


def _json_records(file: BinaryIO, layout: Layout, path: Path) -> Iterator[tuple[int, Done | None]]:
    end = 0
    for number, line in enumerate(file, 1):
        if not line.endswith(b"\n"):
            return
        end += len(line)
        try:
            record = json.loads(line)
            done = Done(str(record["path"]), "error" in record)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise InputError(f"{path}: line {number} is no record") from None
        if not done.failed and not _fits(record, layout):
            raise _other_options(path, number)
        yield end, done


def _fits(record: dict[str, Any], layout: Layout) -> bool:
    return (
        len(record.get("top", ())) <= layout.top_k
        and ("probs" in record) == layout.probs
        and record.get("decided") == layout.decided
    )


def _other_options(path: Path, number: int) -> InputError:
    return InputError(f"{path}: record {number} was written with other options than these")
