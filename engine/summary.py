"""The table that `Model.summary` prints."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Protocol

HEADS = ("Layer (type)", "Output Shape", "Param #")
CONNECTED = "Connected to"
WIDEST = 80
"""Letters of a name that are shown."""


class Listed(Protocol):
    """What the table says of a layer. Shapes start with `None` for the batch."""

    @property
    def name(self) -> str: ...

    @property
    def class_name(self) -> str: ...

    @property
    def output_shape(self) -> tuple[int | None, ...]: ...

    @property
    def parameters(self) -> int: ...

    @property
    def trainable_parameters(self) -> int: ...

    @property
    def inbound(self) -> tuple[str, ...]: ...


def format_summary(name: str, layers: Sequence[Listed]) -> Iterator[str]:
    """Keras's columns, one line a layer, then the totals."""
    yield f'Model: "{shortened(name)}"'
    yield from format_layers(layers)
    yield from format_totals(layers)


def format_layers(
    layers: Sequence[Listed], heads: Sequence[str] = (), more: Sequence[Sequence[str]] = ()
) -> Iterator[str]:
    """The table; `heads` and `more` are further columns before the last, which is there if the model branches."""
    rows = [
        [f"{shortened(x.name)} ({shortened(x.class_name)})", str(x.output_shape), f"{x.parameters:,}", *cells]
        for x, cells in zip(layers, more or [()] * len(layers), strict=True)
    ]
    titles = [*HEADS, *heads]
    if _branches(layers):
        titles.append(CONNECTED)
        rows = [[*row, shortened(", ".join(x.inbound), 2 * WIDEST)] for row, x in zip(rows, layers, strict=True)]
    yield from format_table(titles, rows)


def format_totals(layers: Sequence[Listed]) -> Iterator[str]:
    """Numbers of weights, as Keras gives them."""
    total, trainable = sum(x.parameters for x in layers), sum(x.trainable_parameters for x in layers)
    yield f"Total params: {total:,} ({format_bytes(total * 4)})"
    yield f"Trainable params: {trainable:,} ({format_bytes(trainable * 4)})"
    yield f"Non-trainable params: {total - trainable:,} ({format_bytes((total - trainable) * 4)})"


def format_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns under their heads, as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for cells in (heads, ["─" * width for width in widths], *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def shortened(text: str, most: int = WIDEST) -> str:
    """A name of any length for a column: its beginning and its end."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2 - 1) :]}"


def format_bytes(count: int) -> str:
    """`1.66 MB`: with the units that Keras's summary uses, of 1024 each."""
    size, unit = float(count), "B"
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{size:.2f} {unit}"


def _branches(layers: Sequence[Listed]) -> bool:
    return any(tuple(b.inbound) != (a.name,) for a, b in pairwise(layers))
