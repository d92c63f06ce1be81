"""`infer summary --diagram`: the flow through a model as text, with the shapes between the boxes."""

from collections.abc import Iterator, Sequence

from engine.look.boxes import Box, feeds_of
from engine.look.layout import lay_out

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
LINES = " ╵╷│╴┘┐┤╶└┌├─┴┬┼"
"""The character for each sum of directions."""


class Sheet:
    """Characters at places; lines that meet become crossings."""

    def __init__(self) -> None:
        self._letters: dict[tuple[int, int], str] = {}
        self._lines: dict[tuple[int, int], int] = {}

    def write(self, x: int, y: int, text: str) -> None:
        """Text from a place on."""
        self._letters.update(((x + i, y), letter) for i, letter in enumerate(text))

    def down(self, x: int, top: int, bottom: int) -> None:
        """A line between the middles of two rows."""
        for y in range(top, bottom + 1):
            self._add(x, y, UP * (y > top) + DOWN * (y < bottom))

    def across(self, y: int, left: int, right: int) -> None:
        """A line between the middles of two columns."""
        for x in range(left, right + 1):
            self._add(x, y, LEFT * (x > left) + RIGHT * (x < right))

    def _add(self, x: int, y: int, directions: int) -> None:
        self._lines[x, y] = self._lines.get((x, y), 0) | directions

    def rows(self) -> Iterator[str]:
        """The lines of text."""
        seen = [*self._letters, *self._lines]
        width, height = max((x for x, _ in seen), default=-1) + 1, max((y for _, y in seen), default=-1) + 1
        for y in range(height):
            letters = (self._letters.get((x, y)) or LINES[self._lines.get((x, y), 0)] for x in range(width))
            yield "".join(letters).rstrip()


def diagram(boxes: Sequence[Box]) -> Iterator[str]:
    """The boxes in rows, each with its name, class, window and weights, and lines that say the shape they carry."""
    texts = [_text(box) for box in boxes]
    widths = [max(len(text) + 4, 2 * len(box.shape) + 5) for text, box in zip(texts, boxes, strict=True)]
    layout = lay_out(feeds_of(boxes), widths, gap=2)
    centres = {n: round(centre) for n, centre in layout.centres.items()}
    sheet, y = Sheet(), 0
    for row, lines in zip(layout.rows, layout.lines_below(), strict=True):
        for n in row:
            if n < layout.boxes:
                _box(sheet, centres[n], y, texts[n])
            else:
                sheet.down(centres[n], y - 1, y + 3)
        y = _gap(sheet, lines, centres, y + 3, boxes)
    yield from sheet.rows()


def _text(box: Box) -> str:
    weights = f" · {box.parameters:,}" if box.parameters else ""
    return f"{box.name} · {box.detail}{weights}"


def _box(sheet: Sheet, centre: int, y: int, text: str) -> None:
    left = centre - (len(text) + 4) // 2
    right = left + len(text) + 3
    for line in (y, y + 2):
        sheet.across(line, left, right)
    for side in (left, right):
        sheet.down(side, y, y + 2)
    sheet.write(left + 2, y + 1, text)


def _gap(sheet: Sheet, lines: Sequence[tuple[int, int]], centres: dict[int, int], y: int, boxes: Sequence[Box]) -> int:
    """The lines from one row to the next, the first of which is `y`; where the next row starts."""
    if not lines:
        return y
    lanes = _lanes(lines, centres)
    bottom = y + 1 + (max(lanes.values()) + 1 if lanes else 0)
    for a in dict.fromkeys(a for a, _ in lines if a < len(boxes)):
        sheet.write(centres[a] + 2, y, boxes[a].shape)
    for a, b in lines:
        lane = y + 1 + lanes[a] if a in lanes else y
        sheet.down(centres[a], y - 1, lane)
        if a in lanes:
            sheet.across(lane, *sorted((centres[a], centres[b])))
        sheet.down(centres[b], lane, bottom + 1 if b >= len(boxes) else bottom)
        if b < len(boxes):
            sheet.write(centres[b], bottom, "▼")
    return bottom + 1


def _lanes(lines: Sequence[tuple[int, int]], centres: dict[int, int]) -> dict[int, int]:
    """A level for the way aside of each upper end that has one; ways that would meet have different levels."""
    spans: dict[int, tuple[int, int]] = {}
    for a, b in lines:
        left, right = spans.get(a, (centres[a], centres[a]))
        spans[a] = min(left, centres[b]), max(right, centres[b])
    lanes: dict[int, int] = {}
    for a, (left, right) in sorted(spans.items(), key=lambda item: item[1][0]):
        if left < right:
            taken = {lanes[c] for c in lanes if spans[c][0] <= right and left <= spans[c][1]}
            lanes[a] = next(level for level in range(len(lines)) if level not in taken)
    return lanes
