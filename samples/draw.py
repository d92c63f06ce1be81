"""Draw the sample digits: strokes with thickness, slant and jitter, three images a digit, written next to this file."""

from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

Points = np.ndarray[Any, np.dtype[np.float64]]
Colour = tuple[int, int, int]

SEED = 7
OVERSAMPLING = 8
HEIGHT = 20 / 28
SIZES = ((28, 28), (200, 160), (64, 64), (112, 140), (40, 32), (128, 128), (90, 100))


@dataclass(frozen=True)
class Style:
    """Colours, Pillow mode and file type of an image."""

    paper: Colour
    ink: Colour
    mode: str
    suffix: str


STYLES = (
    Style((0, 0, 0), (255, 255, 255), "L", "png"),
    Style((14, 14, 14), (246, 246, 246), "L", "jpg"),
    Style((16, 26, 20), (255, 250, 226), "RGB", "png"),
    Style((250, 247, 238), (22, 32, 92), "RGB", "jpg"),
    Style((244, 244, 244), (30, 30, 30), "L", "png"),
)


def line(*points: tuple[float, float]) -> Points:
    """A polyline, each piece cut into short steps so that jitter can bend it."""
    corners = np.array(points)
    steps = np.linspace(0, 1, 20)[:, None]
    pieces = [start + (end - start) * steps for start, end in pairwise(corners)]
    return np.concatenate(pieces)


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> Points:
    """An arc of an ellipse, clockwise in degrees from its rightmost point."""
    angle = np.radians(np.linspace(start, end, 80))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


# Strokes in a box of height 1, y downwards.
DIGITS = (
    [arc(0.35, 0.5, 0.3, 0.5, -90, 270)],
    [line((0.2, 0.17), (0.36, 0), (0.36, 1))],
    [arc(0.33, 0.28, 0.3, 0.28, 190, 400), line((0.56, 0.46), (0.03, 1), (0.68, 1))],
    [arc(0.3, 0.26, 0.3, 0.26, 200, 450), arc(0.3, 0.76, 0.34, 0.24, 270, 520)],
    [line((0.1, 0), (0.06, 0.52), (0.62, 0.52)), line((0.6, 0.02), (0.56, 1))],
    [line((0.62, 0), (0.14, 0), (0.07, 0.45)), arc(0.3, 0.68, 0.33, 0.32, 225, 505)],
    [arc(0.55, 0.7, 0.5, 0.7, 275, 180), arc(0.33, 0.7, 0.28, 0.3, 180, 540)],
    [line((0.03, 0.03), (0.65, 0.03), (0.25, 1))],
    [arc(0.33, 0.25, 0.24, 0.25, 90, 450), arc(0.33, 0.75, 0.3, 0.25, 270, 630)],
    [arc(0.33, 0.28, 0.28, 0.28, 0, 360), line((0.61, 0.28), (0.58, 0.6), (0.45, 1))],
)


def jittered(strokes: list[Points], rng: np.random.Generator) -> list[Points]:
    """The strokes slanted, stretched and bent by one smooth random wave, in a box of height 1 centred on 0."""
    slant, stretch = rng.uniform(-0.1, 0.3), rng.uniform(0.9, 1.15)
    amplitude, phase = rng.uniform(0, 0.03, 2), rng.uniform(0, 2 * np.pi, 2)

    def bend(stroke: Points) -> Points:
        x, y = stroke.T
        bent_x = stretch * x - slant * y + amplitude[0] * np.sin(2 * np.pi * y + phase[0])
        return np.stack([bent_x, y + amplitude[1] * np.sin(2 * np.pi * x + phase[1])], axis=1)

    bent = [bend(stroke) for stroke in strokes]
    everything = np.concatenate(bent)
    low, high = everything.min(axis=0), everything.max(axis=0)
    return [(stroke - (low + high) / 2) / (high - low)[1] for stroke in bent]


def coverage(strokes: list[Points], thickness: float, size: tuple[int, int]) -> Image.Image:
    """How much ink lies on each pixel, mode "L"; thickness is a share of the digit's height, which includes it."""
    width, height = (side * OVERSAMPLING for side in size)
    radius = HEIGHT * height * thickness / 2
    length = HEIGHT * height - 2 * radius
    large = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(large)
    for stroke in strokes:
        points = stroke * length + np.array([width, height]) / 2
        pen.line([(x, y) for x, y in points], fill=255, width=round(2 * radius))
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return large.resize(size, Image.Resampling.BOX)


def main() -> None:
    styles, sizes = cycle(STYLES), cycle(SIZES)
    for digit, strokes in enumerate(DIGITS):
        for letter in "abc":
            rng = np.random.default_rng([SEED, digit, ord(letter)])
            style, size = next(styles), next(sizes)
            ink = coverage(jittered(strokes, rng), rng.uniform(0.1, 0.15), size)
            image = Image.new("RGB", size, style.paper)
            image.paste(style.ink, mask=ink)
            image.convert(style.mode).save(Path(__file__).with_name(f"{digit}_{letter}.{style.suffix}"), quality=90)


if __name__ == "__main__":
    main()
