"""A poster of a picture's way: a still picture, drawn with Pillow and the font that it carries (see `letters`)."""

import io
from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from engine.explaining.colours import coloured, heat
from engine.explaining.data import as_bytes, peak, small, strongest
from engine.explaining.formulas import parameter_formula, size_formulas
from engine.explaining.stages import Stage
from engine.explaining.trace import Floats, Term, Window, window
from engine.ir.ops import LINEAR, Conv, ConvTranspose, DepthwiseConv, GlobalPool, NormPool, Pool
from engine.look.letters import plain

if TYPE_CHECKING:
    from engine.explaining.explanation import Explanation

Rgb: TypeAlias = tuple[int, int, int]

WIDTH, MARGIN, LEFT = 1400, 56, 420
PAPER, CARD, INK, SOFT, LINE, ACCENT = (
    (251, 250, 247), (255, 255, 255), (28, 29, 34), (99, 101, 110), (228, 224, 214), (180, 68, 26),
)  # fmt: skip
TINTS: tuple[Rgb, Rgb] = ((38, 104, 190), (214, 90, 26))
THUMB, MAPS, SQUARE = 70, 11, 16
CELL_WIDTH, CELL_HEIGHT, MOST_CELLS = 46, 24, 5


def poster(explanation: "Explanation") -> bytes:
    """PNG, 1400 pixels wide and as high as it takes."""
    found = explanation.trace
    heights = [_stage_height(stage, found.values[stage.y]) for stage in found.stages]
    sheet = Sheet(580 + sum(height + 20 for height in heights) + 40 + 26 * len(explanation.left_out))
    y = _hero(sheet, explanation)
    for i, (stage, height) in enumerate(zip(found.stages, heights, strict=True)):
        _stage(sheet, explanation, stage, i + 1, y, height)
        y += height + 20
    for note in explanation.left_out:
        y = sheet.text(MARGIN, y + 4, note, 15, SOFT)
    file = io.BytesIO()
    sheet.image.save(file, "PNG", optimize=True)
    return file.getvalue()


class Sheet:
    """A canvas with the few things that are drawn on it."""

    def __init__(self, height: int) -> None:
        self.image = Image.new("RGB", (WIDTH, height), PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def text(self, x: int, y: int, text: str, size: int, colour: Rgb = INK, width: int = WIDTH - 2 * MARGIN) -> int:
        """Text in lines no wider than `width`; where the next line would be."""
        font = ImageFont.load_default(size)
        for line in _wrapped(plain(text), font.getlength, width):
            self.draw.text((x, y), line, colour, font)
            y += round(size * 1.4)
        return y

    def pixels(self, x: int, y: int, pixels: NDArray[np.uint8], side: int, smooth: bool = False) -> None:
        """An array (h, w, 3) within a square."""
        h, w = pixels.shape[:2]
        size = max(1, side * w // max(h, w)), max(1, side * h // max(h, w))
        kind = (
            Image.Resampling.BICUBIC
            if smooth
            else Image.Resampling.BOX
            if max(h, w) > side
            else Image.Resampling.NEAREST
        )
        self.image.paste(Image.fromarray(pixels).resize(size, kind), (x, y))

    def cells(self, x: int, y: int, values: Floats, chosen: float | None = None) -> int:
        """A table of numbers; where its right end is. Padding is left empty."""
        top = float(np.nanmax(np.abs(values), initial=0.0))
        font = ImageFont.load_default(12)
        for (row, column), value in np.ndenumerate(values):
            left, upper = x + column * CELL_WIDTH, y + row * CELL_HEIGHT
            box = (left, upper, left + CELL_WIDTH - 3, upper + CELL_HEIGHT - 3)
            marked = chosen is not None and value == chosen
            self.draw.rectangle(box, _tint(float(value), top), ACCENT if marked else None, 2 if marked else 0)
            if not np.isnan(value):
                middle = (left + CELL_WIDTH // 2 - 1, upper + CELL_HEIGHT // 2 - 1)
                self.draw.text(middle, number(float(value)), INK, font, anchor="mm")
        return x + int(values.shape[1]) * CELL_WIDTH


def number(value: float) -> str:
    """`0.136`, `1131.1`, `1.7e-05`."""
    size = abs(value)
    if size and not 5e-4 <= size < 1e5:
        return f"{value:.1e}"
    return f"{value:.{3 if size < 10 else 2 if size < 100 else 1}f}" if value else "0"


def _wrapped(text: str, length: Callable[[str], float], width: int) -> list[str]:
    lines, now = [], ""
    for word in text.split():
        longer = f"{now} {word}".strip()
        if now and length(longer) > width:
            lines.append(now)
            longer = word
        now = longer
    return [*lines, now]


def _tint(value: float, top: float) -> Rgb:
    strength = 0.0 if np.isnan(value) or not top or not value else 0.1 + 0.6 * abs(value) / top
    base = (243, 240, 233)
    mixed = [round(b + (t - b) * strength) for b, t in zip(base, TINTS[value > 0], strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _hero(sheet: Sheet, explanation: "Explanation") -> int:
    sheet.text(MARGIN, 36, f"{explanation.file} through {explanation.model}", 16, SOFT)
    sheet.text(MARGIN, 58, f"The answer is {explanation.label}", 52)
    sheet.text(MARGIN, 132, explanation.summary, 18, SOFT)
    picture = explanation.picture if explanation.picture.ndim == 3 else explanation.picture[:, :, None]
    shown = as_bytes(picture)
    shown = np.repeat(shown, 3, axis=2) if shown.shape[2] == 1 else shown
    sheet.pixels(MARGIN, 180, shown, 320)
    sheet.pixels(MARGIN + 360, 180, _evidence(shown, explanation.evidence.map), 320, smooth=True)
    sheet.text(MARGIN, 510, "What the model sees", 16, SOFT, 320)
    sheet.text(MARGIN + 360, 510, "What the answer rested on: " + explanation.evidence.kind, 16, SOFT, 320)
    _scores(sheet, explanation, MARGIN + 740, 184)
    return 570


def _evidence(shown: NDArray[np.uint8], values: Floats) -> NDArray[np.uint8]:
    h, w = shown.shape[:2]
    size = (max(320 * w // max(h, w), 1), max(320 * h // max(h, w), 1))
    grey = np.asarray(Image.fromarray(shown).convert("L").resize(size), np.float64)[..., None]
    spread = np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    place = spread / (np.abs(spread).max() or 1.0)
    strength = np.clip(np.abs(place) * 1.6, 0, 1)[..., None] * 0.85
    mixed: NDArray[np.uint8] = (grey * 0.8 * (1 - strength) + coloured(place) * strength).astype(np.uint8)
    return mixed


def _scores(sheet: Sheet, explanation: "Explanation", x: int, y: int) -> None:
    best = [(explanation.classes[i], explanation.scores[i]) for i in explanation.order[:8]]
    top = max([abs(score) for _, score in best] + [1.0] * (explanation.head != "none"))
    for i, (label, score) in enumerate(best):
        sheet.draw.rectangle((x + 170, y + 5, x + 470, y + 21), LINE)
        sheet.draw.rectangle(
            (x + 170, y + 5, x + 170 + round(300 * abs(score) / top), y + 21), ACCENT if i == 0 else SOFT
        )
        sheet.text(x, y, plain(label)[:18], 18, width=10_000)
        sheet.text(x + 484, y, f"{100 * score:.1f} %" if explanation.head != "none" else number(score), 18)
        y += 38


def _has_window(stage: Stage) -> bool:
    return not isinstance(stage.op, ConvTranspose | GlobalPool) and isinstance(
        stage.op, Conv | DepthwiseConv | Pool | NormPool
    )


def _stage_height(stage: Stage, y: Floats) -> int:
    """Room for the text on the left, and for maps and a window on the right."""
    if y.ndim != 3:
        return 132
    rows = CELL_HEIGHT * min(_rows(stage), MOST_CELLS) if _has_window(stage) else 0
    return max(150, THUMB + 40 + rows + (34 if stage.weights else 0))


def _rows(stage: Stage) -> int:
    return stage.op.window[0] if isinstance(stage.op, Pool | NormPool) else stage.weights[0].shape[0]


def _stage(sheet: Sheet, explanation: "Explanation", stage: Stage, place: int, y: int, height: int) -> None:
    found = explanation.trace
    graph, maps = found.reader.graph, found.values[stage.y]
    sheet.draw.rounded_rectangle((MARGIN, y, WIDTH - MARGIN, y + height), 10, CARD, LINE)
    x, line = MARGIN + 20, y + 14
    line = sheet.text(x, line, f"{place}  {stage.title}"[:40], 22, width=LEFT - 40)
    shapes = " -> ".join(" x ".join(map(str, graph.shapes[v])) for v in (stage.x, stage.y))
    line = sheet.text(x, line, f"{stage.class_name}   {shapes}", 15, SOFT, LEFT - 40)
    for formula in size_formulas(stage, graph):
        line = sheet.text(x, line + 2, formula, 15, width=LEFT - 40)
    sheet.text(x, line + 2, f"parameters: {parameter_formula(stage)}", 15, width=LEFT - 40)
    if maps.ndim == 3:
        _maps(sheet, explanation, stage, y + 16)
    else:
        _squares(sheet, maps, y + 20)


def _maps(sheet: Sheet, explanation: "Explanation", stage: Stage, y: int) -> None:
    found = explanation.trace
    maps = found.values[stage.y]
    channels = [int(c) for c in strongest(maps)[:MAPS]]
    top = float(np.abs(np.nan_to_num(maps)).max()) or 1.0
    x = MARGIN + LEFT
    for i, c in enumerate(channels):
        view = small(maps[:, :, c], THUMB) / np.float32(top)
        sheet.pixels(x + i * (THUMB + 8), y, coloured(np.sign(view) * np.sqrt(np.abs(view))), THUMB)
    if _has_window(stage):
        _window(sheet, stage, window(found, stage, *peak(maps, channels[0]), channels[0]), y + THUMB + 16)


def _window(sheet: Sheet, stage: Stage, seen: Window, y: int) -> None:
    x = MARGIN + LEFT
    term: Term = max(seen.terms, key=lambda term: abs(term.total))
    title = f"row {seen.row}, column {seen.column} of channel {seen.channel}"
    if max(term.patch.shape) > MOST_CELLS:
        sheet.text(x, y, f"{title} = {number(seen.value)}", 15, SOFT)
        return
    if term.kernel is None:
        end = sheet.cells(x, y, term.patch, seen.total if getattr(stage.op, "kind", "") == "max" else None)
        sheet.text(end + 14, y, f"{title}: {getattr(stage.op, 'kind', '')} = {number(seen.total)}", 15, SOFT, 420)
        return
    products = term.patch * term.kernel
    for values, sign in ((term.patch, "*"), (term.kernel, "="), (products, "")):
        x = sheet.cells(x, y, values)
        sheet.text(x + 4, y + CELL_HEIGHT * len(values) // 2 - 14, sign, 20, SOFT)
        x += 26
    sheet.text(x, y, f"sum {number(term.total)} of input channel {term.channel}", 15, SOFT, WIDTH - MARGIN - 10 - x)
    below = y + CELL_HEIGHT * len(products) + 6
    sheet.text(MARGIN + LEFT, below, f"{title}: {_way(stage, seen)}", 15, width=WIDTH - MARGIN - LEFT - 76)


def _way(stage: Stage, seen: Window) -> str:
    parts = [f"sum over {len(seen.terms)} channel{'s' if len(seen.terms) > 1 else ''} {number(seen.total)}"]
    if stage.bias is not None:
        parts.append(f"bias {number(seen.bias)}")
    if stage.scale is not None:
        parts.append("batch normalization")
    if stage.activation != LINEAR:
        parts.append(stage.activation.kind)
    return ", ".join(parts) + f" -> {number(seen.value)}"


def _squares(sheet: Sheet, values: Floats, y: int) -> None:
    across = (WIDTH - MARGIN - LEFT - 76) // (SQUARE + 3)
    colours: Sequence[NDArray[np.uint8]] = list(heat(values[: across * 4]))
    for i, colour in enumerate(colours):
        left, upper = MARGIN + LEFT + i % across * (SQUARE + 3), y + i // across * (SQUARE + 3)
        red, green, blue = map(int, colour)
        sheet.draw.rectangle((left, upper, left + SQUARE, upper + SQUARE), (red, green, blue))
    best = int(values.argmax())
    lower = y + (len(colours) - 1) // across * (SQUARE + 3) + SQUARE + 8
    shown = f", the first {len(colours):,} shown" if len(colours) < prod(values.shape) else ""
    sheet.text(MARGIN + LEFT, lower, f"the largest is number {best}: {number(float(values[best]))}{shown}", 15, SOFT)
