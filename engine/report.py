"""Results as text, record by record: a table, CSV, JSON or JSON lines."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice, zip_longest
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from engine.classify import Result
from engine.errors import ImageError

SIZING_ROWS = 100


class Record(NamedTuple):
    """What came of one path."""

    path: str
    outcome: Result | ImageError

    @property
    def reason(self) -> str:
        """The error's message without the path in front."""
        return str(self.outcome).removeprefix(f"{self.path}: ")


Format: TypeAlias = Callable[[Iterable[Record], int], Iterator[str]]


def table(records: Iterable[Record], top_k: int) -> Iterator[str]:
    """Columns as wide as the header and the first 100 records need."""
    ranks = [""] + [f" {rank}" for rank in range(2, top_k + 1)]
    header = ["file", *(f"{column}{rank}" for rank in ranks for column in ("label", "probability"))]
    rows = map(_table_row, records)
    first = list(islice(rows, SIZING_ROWS))
    complete = [header, *(row for row in first if len(row) > 2)]
    widths = [max(map(len, column)) for column in zip_longest(*complete, fillvalue="")]
    widths[0] = max(widths[0], *(len(row[0]) for row in first), 0)
    for row in chain([header], first, rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join(cells).rstrip() + "\n"


def _table_row(record: Record) -> list[str]:
    path = _printable(record.path)
    if isinstance(record.outcome, ImageError):
        return [path, f"error: {_printable(record.reason)}"]
    return [path, *(cell for s in record.outcome.top for cell in (_printable(s.label), f"{s.score:.4f}"))]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def csv_lines(records: Iterable[Record], top_k: int) -> Iterator[str]:
    """path, label, score, index, then the same with _2, _3 … for the next best, and error."""
    ranks = [""] + [f"_{rank}" for rank in range(2, top_k + 1)]
    columns = [f"{column}{rank}" for rank in ranks for column in ("label", "score", "index")]
    yield _csv_line(["path", *columns, "error"])
    for record in records:
        if isinstance(record.outcome, ImageError):
            yield _csv_line([record.path, *[""] * len(columns), record.reason])
        else:
            scores = (cell for s in record.outcome.top for cell in (s.label, s.score, s.index))
            yield _csv_line([record.path, *scores, ""])


def _csv_line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def json_lines(records: Iterable[Record], top_k: int) -> Iterator[str]:
    """One object a line."""
    return (_json_object(record) + "\n" for record in records)


def json_array(records: Iterable[Record], top_k: int) -> Iterator[str]:
    """One array of objects."""
    yield "["
    separator = "\n"
    for record in records:
        yield separator + _json_object(record)
        separator = ",\n"
    yield "\n]\n"


def _json_object(record: Record) -> str:
    """ASCII, so that a file name of any bytes survives; JSON has no NaN, it becomes null."""
    if isinstance(record.outcome, ImageError):
        return json.dumps({"path": record.path, "error": record.reason})
    values = {"path": record.path, **record.outcome.to_dict()}
    try:
        return json.dumps(values, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(values), parse_constant=lambda _: None))


FORMATS: Mapping[str, Format] = MappingProxyType(
    {"table": table, "csv": csv_lines, "json": json_array, "jsonl": json_lines}
)
