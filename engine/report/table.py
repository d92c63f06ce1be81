"""Records as a table for people."""

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, zip_longest

from engine.report.record import Layout, Record

SIZING_ROWS = 100
BAR_WIDTH = 10
EIGHTHS = " ▏▎▍▌▋▊▉"


def table(records: Iterable[Record], layout: Layout) -> Iterator[str]:
    """Columns as wide as the header and the first 100 records need; with `bars`, one beside each best score."""
    ranks = [""] + [f" {rank}" for rank in range(2, layout.top_k + 1)]
    classes = [printable(label) for label in layout.classes] if layout.probs else []
    header = ["file", *(f"{column}{rank}" for rank in ranks for column in ("label", "probability")), *classes]
    if layout.bars:
        header.insert(3, "")
    draw = bar if _shows_blocks(sys.stdout.encoding) else plain_bar
    rows = (_row(record, layout, draw) for record in records)
    first = list(islice(rows, SIZING_ROWS))
    complete = [header, *(row for row in first if len(row) > 2)]
    widths = [max(map(len, column)) for column in zip_longest(*complete, fillvalue="")]
    widths[0] = max(widths[0], *(len(row[0]) for row in first), 0)
    for row in chain([header], first, rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join(cells).rstrip() + "\n"


def _row(record: Record, layout: Layout, draw: Callable[[float], str]) -> list[str]:
    path = printable(record.path)
    if record.error is not None:
        return [path, f"error: {printable(record.error)}"]
    cells = [cell for score in record.top for cell in (printable(score.label), f"{score.score:.4f}")]
    cells += [cell for _ in range(len(record.top), layout.top_k) for cell in ("-", "")]
    if layout.bars:
        cells.insert(2, draw(record.top[0].score) if record.top else "")
    return [path, *cells, *(f"{score:.4f}" for score in record.probs or ())]


def bar(score: float) -> str:
    """A score of 0 to 1 as a bar of ten characters, to an eighth of one; nothing for what is no number."""
    eighths = round(max(0.0, min(score, 1.0)) * BAR_WIDTH * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def plain_bar(score: float) -> str:
    """The same in ASCII."""
    return "#" * round(max(0.0, min(score, 1.0)) * BAR_WIDTH)


def printable(text: str) -> str:
    """`text` on one line, whatever is in it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _shows_blocks(encoding: str | None) -> bool:
    try:
        (EIGHTHS + "█").encode(encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
