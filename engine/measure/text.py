"""Numbers and tables as text."""

from collections.abc import Iterator, Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> Iterator[str]:
    """Columns as wide as they need be, two blanks between them; the first `left` are aligned to the left."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for cells in (heads, *rows):
        aligned = (
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        yield "  ".join(aligned).rstrip()


def figure(value: float | None) -> str:
    """Three significant digits; `-` where there is no figure."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def seconds(value: float) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{figure(value / size)} {unit}"
    return f"{figure(value / 1e-6)} µs"


def mebibytes(size: float) -> str:
    """Bytes as MiB, with a decimal."""
    return f"{size / 2**20:.1f} MiB"
