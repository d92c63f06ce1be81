"""A model's graph as PNG, drawn with Pillow and the font that Pillow carries (see `letters`)."""

import io
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from engine.look.boxes import Box
from engine.look.drawing import DETAIL_SIZE, LABEL_SIZE, NAME_SIZE, Drawing, Line, Placed, Point, detail, draw
from engine.look.letters import plain

SCALE = 2.0
MOST_PIXELS = 40_000_000
PAPER, INK, SOFT = "#fbfaf7", "#1c1d22", "#63656e"
STEPS = 16


def png(boxes: Sequence[Box]) -> bytes:
    """The drawing at twice its size, or smaller where that would be very many pixels."""
    drawing = draw(boxes)
    scale = min(SCALE, (MOST_PIXELS / (drawing.width * drawing.height)) ** 0.5)
    size = max(1, round(drawing.width * scale)), max(1, round(drawing.height * scale))
    image = Image.new("RGB", size, PAPER)
    _paint(ImageDraw.Draw(image), drawing, scale)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=4)
    return file.getvalue()


def _paint(pen: ImageDraw.ImageDraw, drawing: Drawing, scale: float) -> None:
    for line in drawing.lines:
        points = [(x * scale, y * scale) for x, y in _curve(line)]
        pen.line(points, SOFT, max(1, round(1.4 * scale)), joint="curve")
        x, y = points[-1]
        pen.polygon([(x, y), (x - 4 * scale, y - 7 * scale), (x + 4 * scale, y - 7 * scale)], SOFT)
    for (x, y), text in drawing.labels:
        pen.text(
            (x * scale, y * scale),
            plain(text),
            SOFT,
            _font(LABEL_SIZE, scale),
            "ls",
            stroke_width=round(2 * scale),
            stroke_fill=PAPER,
        )
    for placed in drawing.boxes:
        _box(pen, placed, scale)


def _font(size: int, scale: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(1, round(size * scale)))


def _box(pen: ImageDraw.ImageDraw, placed: Placed, scale: float) -> None:
    left, top = placed.x * scale, placed.y * scale
    right, bottom = left + placed.width * scale, top + placed.height * scale
    pen.rounded_rectangle((left, top, right, bottom), 8 * scale, placed.fill, placed.edge, max(1, round(scale)))
    middle = (left + right) / 2
    pen.text((middle, top + 21 * scale), plain(placed.box.name), INK, _font(NAME_SIZE, scale), anchor="ms")
    pen.text((middle, top + 39 * scale), plain(detail(placed.box)), SOFT, _font(DETAIL_SIZE, scale), anchor="ms")


def _curve(line: Line) -> list[Point]:
    """The points of the curve that the SVG has."""
    found = [line.points[0]]
    for (x0, y0), (x1, y1) in pairwise(line.points):
        if x0 == x1:
            found.append((x1, y1))
            continue
        for t in (i / STEPS for i in range(1, STEPS + 1)):
            bend = 3 * t**2 - 2 * t**3
            found.append((x0 + (x1 - x0) * bend, y0 + (y1 - y0) * (1.5 * t - 1.5 * t**2 + t**3)))
    return found
