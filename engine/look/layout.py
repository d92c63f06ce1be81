"""Where the boxes of a graph stand, and which way its lines go: rows from above to below, as Sugiyama, Tagawa and Toda
lay graphs out (Methods for Visual Understanding of Hierarchical System Structures, 1981).

Each box is in the row after the last of those that feed it. A line that passes rows has a bend in each. Boxes of a row
are ordered by the mean place of their neighbours, to and fro, and then moved towards them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

SWEEPS = 8


@dataclass(frozen=True)
class Layout:
    """`rows` have boxes and bends from left to right, as numbers; numbers below `boxes` are boxes, others bends.

    `centres` are places from the left edge, whose total is `width`. `lines` are pairs of numbers in neighbouring rows.
    """

    boxes: int
    rows: tuple[tuple[int, ...], ...]
    centres: Mapping[int, float]
    lines: tuple[tuple[int, int], ...]
    width: float

    def lines_below(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each row the lines that leave it."""
        rows = self.row_of()
        found: list[list[tuple[int, int]]] = [[] for _ in self.rows]
        for a, b in self.lines:
            found[rows[a]].append((a, b))
        return tuple(map(tuple, found))

    def row_of(self) -> dict[int, int]:
        """The row of each number."""
        return {n: i for i, row in enumerate(self.rows) for n in row}

    def starts(self) -> dict[int, int]:
        """For each line's upper end, the box that it comes from."""
        source = {b: a for a, b in self.lines if b >= self.boxes}
        found = {}
        for n, _ in self.lines:
            at = n
            while at >= self.boxes:
                at = source[at]
            found[n] = at
        return found


def lay_out(feeds: Sequence[Sequence[int]], widths: Sequence[float], gap: float, bend: float = 1.0) -> Layout:
    """The layout of boxes of these widths; `feeds[i]` are the boxes whose results box i reads.

    `gap` is the least room between neighbours, `bend` the width of a line that passes.
    """
    ranks = _ranks(feeds)
    rows: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for box, rank in enumerate(ranks):
        rows[rank].append(box)
    lines: list[tuple[int, int]] = []
    numbers = count(len(feeds))
    for box, sources in enumerate(feeds):
        for source in dict.fromkeys(sources):
            if ranks[source] < ranks[box]:
                last = source
                for rank in range(ranks[source] + 1, ranks[box]):
                    passing = next(numbers)
                    rows[rank].append(passing)
                    lines.append((last, passing))
                    last = passing
                lines.append((last, box))
    _order(rows, lines)
    all_widths = {n: widths[n] if n < len(widths) else bend for row in rows for n in row}
    centres = _place(rows, lines, all_widths, gap)
    left = min((centres[n] - w / 2 for n, w in all_widths.items()), default=0.0)
    width = max((centres[n] + w / 2 for n, w in all_widths.items()), default=0.0) - left
    moved = {n: centre - left for n, centre in centres.items()}
    return Layout(len(feeds), tuple(map(tuple, rows)), moved, tuple(lines), width)


def _ranks(feeds: Sequence[Sequence[int]]) -> list[int]:
    """The longest way to each box; a line back in a circle, which a layer that is called twice can make, counts not."""
    ranks = [-1] * len(feeds)
    missing = [set(sources) for sources in feeds]
    readers: list[list[int]] = [[] for _ in feeds]
    for box, sources in enumerate(missing):
        for source in sources:
            readers[source].append(box)
    ready = [box for box in range(len(feeds)) if not missing[box]]
    for start in range(len(feeds)):
        if not ready and ranks[start] < 0:
            ready.append(start)
        while ready:
            box = ready.pop()
            ranks[box] = 1 + max((ranks[source] for source in feeds[box]), default=-1)
            for reader in readers[box]:
                missing[reader].discard(box)
                if not missing[reader] and ranks[reader] < 0:
                    ready.append(reader)
    return ranks


def _order(rows: list[list[int]], lines: Sequence[tuple[int, int]]) -> None:
    above, below = _neighbours(lines)
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 0
        near = above if downward else below
        sequence = range(1, len(rows)) if downward else range(len(rows) - 2, -1, -1)
        for i in sequence:
            other = {n: place for place, n in enumerate(rows[i - 1 if downward else i + 1])}
            own = {n: place for place, n in enumerate(rows[i])}
            rows[i].sort(key=lambda n: (_mean([other[m] for m in near.get(n, ())], own[n]), own[n]))


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _neighbours(lines: Sequence[tuple[int, int]]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for a, b in lines:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    return above, below


def _place(
    rows: Sequence[Sequence[int]], lines: Sequence[tuple[int, int]], widths: Mapping[int, float], gap: float
) -> dict[int, float]:
    above, below = _neighbours(lines)
    centres: dict[int, float] = {}
    for row in rows:
        _spread(row, dict.fromkeys(row, 0.0), widths, gap, centres)
    for sweep in range(2 * SWEEPS):
        downward = sweep % 2 == 0
        near = above if downward else below
        for row in rows if downward else reversed(rows):
            wanted = {n: _mean([centres[m] for m in near.get(n, ())], centres[n]) for n in row}
            _spread(row, wanted, widths, gap, centres)
    return centres


def _spread(
    row: Sequence[int], wanted: Mapping[int, float], widths: Mapping[int, float], gap: float, centres: dict[int, float]
) -> None:
    """Put a row as near to the wanted centres as order and gaps allow: least squares, by pooling neighbours that meet.

    With each place less the room of all to its left, the order alone constrains: an isotonic regression.
    """
    offsets, at = {}, 0.0
    for before, n in zip([None, *row], row, strict=False):
        at += 0.0 if before is None else (widths[before] + widths[n]) / 2 + gap
        offsets[n] = at
    blocks: list[tuple[float, list[int]]] = []
    for n in row:
        mean, members = wanted[n] - offsets[n], [n]
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean = (mean * len(members) + other * len(more)) / (len(members) + len(more))
            members = more + members
        blocks.append((mean, members))
    for mean, members in blocks:
        centres.update((n, mean + offsets[n]) for n in members)
