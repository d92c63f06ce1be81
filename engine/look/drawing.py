"""A model's graph as places in pixels: what the SVG and the PNG draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engine.look.boxes import Box, feeds_of
from engine.look.layout import Layout, lay_out

Point: TypeAlias = tuple[float, float]

BOX_HEIGHT, ROW, GAP, BEND, MARGIN = 50.0, 100.0, 28.0, 14.0, 24.0
NAME_SIZE, DETAIL_SIZE, LABEL_SIZE = 14, 12, 12
"""Heights of letters."""

FAMILIES = (
    (("Conv",), "#fbe3d3", "#b4441a"),
    (("Pool",), "#dbe8f8", "#2668be"),
    (("Dense", "Einsum"), "#e6e0f5", "#6b4fb0"),
    (("LSTM", "GRU", "RNN", "Bidirectional", "Attention", "Embedding"), "#dff0ea", "#23795c"),
    (("Normalization", "Rescaling"), "#f1efe8", "#8a8577"),
    (("Add", "Concat", "Multiply", "Subtract", "Average", "Maximum", "Minimum", "Dot"), "#fdf0c4", "#97720c"),
    (("Input",), "#e2e3e6", "#4c4f58"),
    (("Sequential", "Functional", "Model"), "#f6dfe9", "#a8336e"),
)
"""Parts of class names, the colour of their boxes and that of the edge; the first that fits counts."""
OTHER = ("#ffffff", "#9a9ca3")


@dataclass(frozen=True)
class Placed:
    """A box by its upper left corner and size."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    fill: str
    edge: str


@dataclass(frozen=True)
class Line:
    """A line through points, from the lower edge of a box to the upper edge of another one."""

    source: str
    target: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Drawing:
    """Everything that is drawn. `labels` are shapes, each at the left end of its baseline."""

    width: float
    height: float
    boxes: tuple[Placed, ...]
    lines: tuple[Line, ...]
    labels: tuple[tuple[Point, str], ...]


def draw(boxes: Sequence[Box]) -> Drawing:
    """Where everything is."""
    widths = [_width(box) for box in boxes]
    layout = lay_out(feeds_of(boxes), widths, GAP, BEND)
    rows, read = layout.row_of(), {a for a, _ in layout.lines}
    placed = tuple(
        Placed(
            box,
            MARGIN + layout.centres[i] - widths[i] / 2,
            MARGIN + rows[i] * ROW,
            widths[i],
            BOX_HEIGHT,
            *_colours(box),
        )
        for i, box in enumerate(boxes)
    )
    return Drawing(
        width=2 * MARGIN + layout.width,
        height=2 * MARGIN + max(len(layout.rows) - 1, 0) * ROW + BOX_HEIGHT,
        boxes=placed,
        lines=tuple(_lines(layout, placed, rows)),
        labels=tuple(
            ((p.x + p.width / 2 + 8, p.y + p.height + 17), p.box.shape) for i, p in enumerate(placed) if i in read
        ),
    )


def _width(box: Box) -> float:
    """Room for both lines of text, and below for the shape on the right of the middle."""
    inside = max(len(box.name) * NAME_SIZE * 0.62, len(detail(box)) * DETAIL_SIZE * 0.58) + 30
    return max(inside, 2 * (len(box.shape) * LABEL_SIZE * 0.62 + 12), 90.0)


def detail(box: Box) -> str:
    """The second line in a box."""
    return box.detail + (f" · {box.parameters:,}" if box.parameters else "")


def _colours(box: Box) -> tuple[str, str]:
    for parts, fill, edge in FAMILIES:
        if any(part in box.class_name for part in parts):
            return fill, edge
    return OTHER


def _lines(layout: Layout, placed: Sequence[Placed], rows: dict[int, int]) -> list[Line]:
    below: dict[int, list[int]] = {}
    for a, b in layout.lines:
        below.setdefault(a, []).append(b)
    found = []
    for i in range(layout.boxes):
        for b in below.get(i, ()):
            at, points = b, [_lower(layout, rows, i)]
            while at >= layout.boxes:
                points += [_upper(layout, rows, at), _lower(layout, rows, at)]
                at = below[at][0]
            points.append(_upper(layout, rows, at))
            found.append(Line(placed[i].box.name, placed[at].box.name, tuple(points)))
    return found


def _upper(layout: Layout, rows: dict[int, int], n: int) -> Point:
    return MARGIN + layout.centres[n], MARGIN + rows[n] * ROW


def _lower(layout: Layout, rows: dict[int, int], n: int) -> Point:
    x, y = _upper(layout, rows, n)
    return x, y + BOX_HEIGHT
