"""The table that `Model.summary` prints."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model import Layer

_HEADS = ("Layer (type)", "Output Shape", "Param #", "Connected to")


def format_summary(name: str, layers: Sequence["Layer"]) -> Iterator[str]:
    """Keras's columns, one line a layer, then the totals."""
    rows = [
        (f"{x.name} ({x.class_name})", str(x.output_shape), f"{x.parameters:,}", ", ".join(x.inbound)) for x in layers
    ]
    columns = 4 if _branches(layers) else 3
    widths = [max(len(row[i]) for row in (_HEADS, *rows)) for i in range(columns)]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip()

    total, trainable = sum(x.parameters for x in layers), sum(x.trainable_parameters for x in layers)
    yield f'Model: "{name}"'
    yield line(_HEADS)
    yield line(["─" * width for width in widths])
    yield from map(line, rows)
    yield f"Total params: {total:,} ({_bytes(total * 4)})"
    yield f"Trainable params: {trainable:,} ({_bytes(trainable * 4)})"
    yield f"Non-trainable params: {total - trainable:,} ({_bytes((total - trainable) * 4)})"


def _branches(layers: Sequence["Layer"]) -> bool:
    return any(tuple(b.inbound) != (a.name,) for a, b in pairwise(layers))


def _bytes(count: int) -> str:
    size, unit = float(count), "B"
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{size:.2f} {unit}"
