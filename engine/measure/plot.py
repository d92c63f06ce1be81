"""Bars as a PNG picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.measure.text import figure

COLORS = ("#2a6fbb", "#d1793a", "#4a9a5b", "#8b5fb0", "#b8484f", "#7a7a7a")
_WIDTH, _MARGIN, _LABELS, _BAR, _GAP, _FIGURES = 960, 24, 190, 18, 12, 70
_INK, _FAINT, _PAPER = "#222222", "#c8c8c8", "#ffffff"


@dataclass(frozen=True)
class Chart:
    """Groups of bars: `values[g][s]` is the bar of series s in group g, None where there is none.

    Without names of series, each group has one bar. `line` is a value to mark across all bars.
    """

    title: str
    series: Sequence[str]
    groups: Sequence[str]
    values: Sequence[Sequence[float | None]]
    line: float | None = None


def draw(chart: Chart, path: Path) -> None:
    """Write the chart, bars from left to right, a colour a series, each with its figure."""
    from PIL import Image, ImageDraw, ImageFont

    font, bold = ImageFont.load_default(13), ImageFont.load_default(16)
    head = _MARGIN + (54 if chart.series else 30)
    group = max(1, len(chart.series)) * _BAR + _GAP
    height = head + len(chart.groups) * group + _MARGIN
    image = Image.new("RGB", (_WIDTH, height), _PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((_MARGIN, _MARGIN - 6), chart.title, _INK, bold)
    x = float(_MARGIN)
    for name, color in zip(chart.series, _colors(chart)[: len(chart.series)], strict=True):
        pen.rectangle((x, _MARGIN + 27, x + 12, _MARGIN + 39), color)
        pen.text((x + 18, _MARGIN + 24), name, _INK, font)
        x += 18 + pen.textlength(name, font) + 20
    scale = _scale(chart)
    for g, (label, row) in enumerate(zip(chart.groups, chart.values, strict=True)):
        top = head + g * group
        pen.text((_MARGIN, top + (group - _GAP) / 2 - 8), label, _INK, font)
        for s, (value, color) in enumerate(zip(row, _colors(chart), strict=True)):
            if value is not None:
                y, end = top + s * _BAR, _LABELS + value * scale
                pen.rectangle((_LABELS, y + 2, max(end, _LABELS + 1), y + _BAR - 2), color)
                pen.text((end + 6, y + 1), figure(value), _INK, font)
    if chart.line is not None:
        x = _LABELS + chart.line * scale
        pen.line((x, head - 4, x, height - _MARGIN), _INK)
    pen.line((_LABELS, head - 4, _LABELS, height - _MARGIN), _FAINT)
    image.save(path, "PNG")


def _colors(chart: Chart) -> list[str]:
    return [COLORS[s % len(COLORS)] for s in range(max(1, len(chart.series)))]


def _scale(chart: Chart) -> float:
    """Pixels of one unit."""
    found = [value for row in chart.values for value in row if value is not None]
    return (_WIDTH - _LABELS - _MARGIN - _FIGURES) / (max([*found, chart.line or 0.0, 0.0]) or 1.0)
