"""What was tuned, as lines of text."""

from collections.abc import Iterator

from engine.measure.text import figure, table
from engine.measure.tune import Row, Tuning

_WIDEST = 32


def tuning_lines(found: Tuning) -> Iterator[str]:
    """A line for each operation with its candidates' times, and how many choices differ from the plan's."""
    if not found.rows:
        yield f"{found.model}: each operation has one algorithm, there is nothing to choose"
        return
    batches = " and ".join(map(str, found.batches))
    yield f"{found.model}: µs an image on {batches} images, threads: {found.threads}, {found.isa}"
    yield from table(("layers", "candidates", "chosen"), [_cells(row) for row in found.rows], left=3)
    changed = [row for row in found.rows if row.chosen != row.planned]
    yield f"{len(changed)} of {len(found.rows)} choices differ from the plan's own"


def _cells(row: Row) -> list[str]:
    first, *others = row.layers
    name = first if len(first) <= _WIDEST else f"{first[: _WIDEST - 1]}…"
    times = [
        f"{algorithm} {' / '.join(figure(1e6 * value) for value in seconds)}"
        for algorithm, seconds in row.seconds.items()
    ]
    chosen = row.chosen if row.chosen == row.planned else f"{row.chosen} (was {row.planned})"
    return [name + f" and {len(others)} more" * bool(others), ", ".join(times), chosen]
