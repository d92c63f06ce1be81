"""An evaluation for people: tables as text, and the confusion matrix as a picture."""

import io
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.evaluation import Evaluation

MOST_CLASSES = 30
MOST_CONFUSIONS = 20
MARGIN = 8
CELL = 34
EDGE = 900
LABEL = 160
DARK = np.array([8, 48, 107])
INK, PAPER = (20, 20, 20), (255, 255, 255)


def as_text(evaluation: Evaluation) -> Iterator[str]:
    """Lines: the accuracy, a table of the classes, and the confusion matrix; of many classes the worst confusions."""
    yield f"accuracy {_share(evaluation.accuracy)} ({evaluation.correct:,} of {evaluation.images:,})"
    if evaluation.among_top is not None:
        yield f"top-5 accuracy {_share(evaluation.top5_accuracy)} ({evaluation.among_top:,} of {evaluation.images:,})"
    yield ""
    rows = [["class", "images", "correct", "recall", "precision", "f1"]]
    for report in evaluation.per_class:
        counts = [f"{report.images:,}", f"{report.correct:,}"]
        rows.append([report.label, *counts, _share(report.recall), _share(report.precision), _share(report.f1)])
    yield from _aligned(rows)
    yield ""
    if len(evaluation.classes) <= MOST_CLASSES:
        yield "of the class in the row, taken for the class in the column:"
        names = [["", *evaluation.classes]]
        yield from _aligned(names + [[label, *map(str, row)] for label, row in _rows(evaluation)])
    else:
        yield from _worst(evaluation)


def as_png(evaluation: Evaluation) -> bytes:
    """The confusion matrix as a picture: a row for each class, a cell as dark as its share of the row."""
    count = len(evaluation.classes)
    cell = CELL if count <= MOST_CLASSES else max(1, EDGE // count)
    named = cell >= 10
    font = ImageFont.load_default(min(12, cell))
    labels = [_drawable(label) for label in evaluation.classes] if named else []
    side = min(LABEL, max((int(font.getlength(label)) + 1 for label in labels), default=0))
    start = 2 * MARGIN + side
    image = Image.new("RGB", (start + cell * count + MARGIN,) * 2, PAPER)
    shares = evaluation.confusion / np.maximum(evaluation.confusion.sum(axis=1, keepdims=True), 1)
    shades = np.rint(255 + (DARK - 255) * shares[..., None]).astype(np.uint8)
    image.paste(Image.fromarray(shades.repeat(cell, axis=0).repeat(cell, axis=1)), (start, start))
    draw = ImageDraw.Draw(image)
    if count <= MOST_CLASSES:
        for i, j in np.argwhere(evaluation.confusion).tolist():
            middle = start + j * cell + cell // 2, start + i * cell + cell // 2
            ink = PAPER if shares[i, j] > 0.5 else INK
            draw.text(middle, _short(int(evaluation.confusion[i, j])), ink, font, anchor="mm")
    _write_labels(image, labels, start, cell, font)
    draw.rectangle((start - 1, start - 1, start + cell * count, start + cell * count), outline=INK)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _write_labels(
    image: Image.Image, labels: Sequence[str], start: int, cell: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    """To the left of the rows, and upwards above the columns."""
    width = start - 2 * MARGIN
    for i, label in enumerate(labels):
        strip = Image.new("RGB", (width, cell), PAPER)
        ImageDraw.Draw(strip).text((width, cell // 2), _fitting(label, width, font), INK, font, anchor="rm")
        image.paste(strip, (MARGIN, start + i * cell))
        upright = ImageDraw.Draw(turned := Image.new("RGB", (width, cell), PAPER))
        upright.text((0, cell // 2), _fitting(label, width, font), INK, font, anchor="lm")
        image.paste(turned.transpose(Image.Transpose.ROTATE_90), (start + i * cell, MARGIN))


def _drawable(label: str) -> str:
    """Pillow's own font has the letters of ASCII only."""
    plain = (c for c in unicodedata.normalize("NFKD", label) if not unicodedata.combining(c))
    return "".join(plain).encode("ascii", "replace").decode()


def _fitting(label: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(label + "...") > width:
        label = label[:-1]
    return label + "..."


def _short(count: int) -> str:
    return str(count) if count < 10_000 else f"{count // 1000}k"


def _worst(evaluation: Evaluation) -> Iterator[str]:
    wrong = evaluation.confusion - np.diag(evaluation.confusion.diagonal())
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
    pairs = [np.unravel_index(place, wrong.shape) for place in order]
    rows = [[evaluation.classes[i], evaluation.classes[j], f"{wrong[i, j]:,}"] for i, j in pairs if wrong[i, j]]
    if rows:
        yield "most often confused:"
        yield from _aligned([["class", "taken for", "images"], *rows])


def _rows(evaluation: Evaluation) -> Iterator[tuple[str, list[int]]]:
    return zip(evaluation.classes, evaluation.confusion.tolist(), strict=True)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they need, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
