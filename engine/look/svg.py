"""A model's graph as SVG: one file without references, with every name escaped."""

from collections.abc import Sequence
from itertools import pairwise

from engine.look.boxes import Box
from engine.look.drawing import DETAIL_SIZE, LABEL_SIZE, NAME_SIZE, Line, Placed, detail, draw

FONT = "system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"


def svg(boxes: Sequence[Box], title: str) -> str:
    """The drawing as text."""
    drawing = draw(boxes)
    width, height = round(drawing.width), round(drawing.height)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" font-family="{FONT}">',
            f"<title>{escaped(title)}</title>",
            '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="#63656e"/></marker></defs>',
            '<rect width="100%" height="100%" fill="#fbfaf7"/>',
            *map(_line, drawing.lines),
            *(
                f'<text x="{x:.1f}" y="{y:.1f}" font-size="{LABEL_SIZE}" fill="#63656e" '
                f'stroke="#fbfaf7" stroke-width="4" paint-order="stroke">{escaped(text)}</text>'
                for (x, y), text in drawing.labels
            ),
            *map(_box, drawing.boxes),
            "</svg>",
            "",
        ]
    )


def _line(line: Line) -> str:
    """Straight past boxes, and curved between rows."""
    path = "M{:.1f} {:.1f}".format(*line.points[0])
    for (x0, y0), (x1, y1) in pairwise(line.points):
        middle = (y0 + y1) / 2
        path += f"V{y1:.1f}" if x0 == x1 else f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}"
    return (
        f'<path d="{path}" fill="none" stroke="#63656e" stroke-width="1.4" marker-end="url(#end)">'
        f"<title>{escaped(f'{line.source} → {line.target}')}</title></path>"
    )


def _box(placed: Placed) -> str:
    middle = placed.x + placed.width / 2
    parameters = f", {placed.box.parameters:,} parameters" if placed.box.parameters else ""
    hint = f"{placed.box.name}: {placed.box.detail}, {placed.box.shape}{parameters}"
    return (
        f"<g><title>{escaped(hint)}</title>"
        f'<rect x="{placed.x:.1f}" y="{placed.y:.1f}" width="{placed.width:.1f}" height="{placed.height:.1f}" rx="8" '
        f'fill="{placed.fill}" stroke="{placed.edge}"/>'
        f'<text x="{middle:.1f}" y="{placed.y + 21:.1f}" text-anchor="middle" font-size="{NAME_SIZE}" '
        f'font-weight="600" fill="#1c1d22">{escaped(placed.box.name)}</text>'
        f'<text x="{middle:.1f}" y="{placed.y + 39:.1f}" text-anchor="middle" font-size="{DETAIL_SIZE}" '
        f'fill="#4c4f58">{escaped(detail(placed.box))}</text></g>'
    )


def escaped(text: str) -> str:
    """Text for an element; what XML does not allow becomes "�"."""
    clean = "".join(letter if _allowed(letter) else "�" for letter in text)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _allowed(letter: str) -> bool:
    return letter in "\t\n\r" or (letter >= " " and not "\ud800" <= letter <= "\udfff" and letter not in "\ufffe\uffff")
