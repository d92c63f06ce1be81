"""Records as text for programs: CSV, TSV, JSON and JSON lines."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from engine.report.record import Layout, Record

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula."""


def csv_columns(layout: Layout) -> list[str]:
    """path, label, score, index, then the same with _2, _3 … for the next best, prob_0 … on demand, and error."""
    ranks = [""] + [f"_{rank}" for rank in range(2, layout.top_k + 1)]
    best = [f"{column}{rank}" for rank in ranks for column in ("label", "score", "index")]
    probs = [f"prob_{index}" for index in range(len(layout.classes))] if layout.probs else []
    return ["path", *best, *probs, "error"]


def csv_lines(records: Iterable[Record], layout: Layout) -> Iterator[str]:
    """Comma-separated values under `csv_columns`. No cell begins like a formula: see `safe_path` and `safe_text`."""
    return _lines(records, layout, ",")


def tsv_lines(records: Iterable[Record], layout: Layout) -> Iterator[str]:
    """As `csv_lines`, with tabs."""
    return _lines(records, layout, "\t")


def _lines(records: Iterable[Record], layout: Layout, delimiter: str) -> Iterator[str]:
    columns = csv_columns(layout)
    if not layout.resumed:
        yield _line(columns, delimiter)
    for record in records:
        path = safe_path(record.path)
        if record.error is not None:
            yield _line([path, *[""] * (len(columns) - 2), safe_text(record.error)], delimiter)
        else:
            best = [cell for s in record.top for cell in (safe_text(s.label), s.score, s.index)]
            missing = [""] * (3 * (layout.top_k - len(record.top)))
            yield _line([path, *best, *missing, *(record.probs or ()), ""], delimiter)


def _line(cells: Iterable[object], delimiter: str) -> str:
    """Written with CR LF, so that cells with either are quoted, and ended with LF."""
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return line.getvalue()[:-2] + "\n"


def safe_path(path: str) -> str:
    """`path`, or where a spreadsheet would take that for a formula, the same place by another name: `./` in front."""
    return f"./{path}" if path.startswith(FORMULA) and path != "-" else path


def safe_text(text: str) -> str:
    """`text`, or where a spreadsheet would take that for a formula, `text` behind an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA) else text


def json_lines(records: Iterable[Record], layout: Layout) -> Iterator[str]:
    """One object a line."""
    return (_json_object(record, layout) + "\n" for record in records)


def json_array(records: Iterable[Record], layout: Layout) -> Iterator[str]:
    """One array of objects."""
    yield "["
    separator = "\n"
    for record in records:
        yield separator + _json_object(record, layout)
        separator = ",\n"
    yield "\n]\n"


def _json_object(record: Record, layout: Layout) -> str:
    """ASCII, so that a file name of any bytes survives; JSON has no NaN, it becomes null."""
    values = record.to_dict(layout.decided)
    try:
        return json.dumps(values, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(values), parse_constant=lambda _: None))
