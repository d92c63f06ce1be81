"""The graph as text, SVG and PNG: everything is there, nothing lies on anything else."""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cli import main
from engine.look.boxes import Box, boxes_of
from engine.look.diagram import diagram
from engine.look.drawing import draw
from engine.look.layout import lay_out
from engine.look.letters import plain
from engine.look.png import png
from engine.look.svg import escaped, svg
from engine.look.table import summarise
from tests.golden import GOLDEN, models, name_of

ROOT = Path(__file__).parents[2]
WHOLE = [m for m in models() if m.stem.startswith(("functional_", "sequential_", "nested_"))]
SVG = "{http://www.w3.org/2000/svg}"


def box(name: str, *feeds: int, shape: str = "4×4×1") -> Box:
    return Box(name, "Add", "Add", shape, 0, feeds)


DIAMOND = [box("a"), box("b", 0), box("c", 0), box("d", 1, 2)]


def test_a_diamond() -> None:
    assert "\n".join(diagram(DIAMOND)) == (
        "           ┌─────────┐\n"
        "           │ a · Add │\n"
        "           └────┬────┘\n"
        "                │ 4×4×1\n"
        "        ┌───────┴───────┐\n"
        "        ▼               ▼\n"
        "   ┌─────────┐     ┌─────────┐\n"
        "   │ b · Add │     │ c · Add │\n"
        "   └────┬────┘     └────┬────┘\n"
        "        │ 4×4×1         │ 4×4×1\n"
        "        └───────┐       │\n"
        "                ├───────┘\n"
        "                ▼\n"
        "           ┌─────────┐\n"
        "           │ d · Add │\n"
        "           └─────────┘"
    )


def test_a_line_passes_beside_a_box() -> None:
    text = "\n".join(diagram([box("a"), box("b", 0), box("c", 1, 0)]))
    assert re.search(r"│ b · Add │ +│", text)


@st.composite
def graphs(draw: Any) -> list[tuple[int, ...]]:
    """For each of some boxes, boxes before it."""
    count = draw(st.integers(1, 14))
    return [tuple(draw(st.sets(st.integers(0, i - 1), max_size=3))) if i else () for i in range(count)]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_boxes_do_not_overlap_and_lines_go_down(feeds: Sequence[tuple[int, ...]]) -> None:
    widths = [float(5 + 7 * i % 11) for i in range(len(feeds))]
    layout = lay_out(feeds, widths, gap=2.0)
    rows = layout.row_of()
    assert sorted(n for n in rows if n < layout.boxes) == list(range(len(feeds)))
    for row in layout.rows:
        for a, b in pairwise(row):
            room = sum((widths[n] if n < len(widths) else 1.0) / 2 for n in (a, b)) + 2.0
            assert layout.centres[b] - layout.centres[a] >= room - 1e-6
    assert all(rows[b] == rows[a] + 1 for a, b in layout.lines)
    starts = layout.starts()
    assert sorted((starts[a], b) for a, b in layout.lines if b < layout.boxes) == sorted(
        (source, i) for i, sources in enumerate(feeds) for source in set(sources)
    )
    drawn = draw([box(f"n{i}", *sources) for i, sources in enumerate(feeds)])
    assert len(drawn.lines) == sum(map(len, feeds))
    for line in drawn.lines:
        assert all(below >= above for (_, above), (_, below) in pairwise(line.points))


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_every_way_can_be_followed_in_the_text(feeds: Sequence[tuple[int, ...]]) -> None:
    """From below each box, along lines that meet, one comes to the boxes that read it."""
    lines = list(diagram([box(f"n{i}x", *sources) for i, sources in enumerate(feeds)]))
    sheet = {(x, y): letter for y, line in enumerate(lines) for x, letter in enumerate(line)}
    names = {
        (x, y): int(m[1]) for y, line in enumerate(lines) for m in re.finditer(r"n(\d+)x", line) for x in [m.start()]
    }
    for i in range(len(feeds)):
        readers = {j for j, sources in enumerate(feeds) if i in sources}
        assert readers <= reached(sheet, names, i)


WAYS = {"╵": "u", "╷": "d", "│": "ud", "┘": "ul", "┐": "dl", "┤": "udl", "└": "ur", "┌": "dr", "├": "udr", "─": "lr",
        "┴": "ulr", "┬": "dlr", "┼": "udlr", "▼": "u"}  # fmt: skip
STEPS = {"u": (0, -1, "d"), "d": (0, 1, "u"), "l": (-1, 0, "r"), "r": (1, 0, "l")}


def reached(sheet: dict[tuple[int, int], str], names: dict[tuple[int, int], int], source: int) -> set[int]:
    x, y = next(place for place, name in names.items() if name == source)
    below = next((column, y + 1) for column in range(x, x + 30) if sheet.get((column, y + 1)) in ("┬", "┘"))
    if sheet[below] != "┬":
        below = next(((c, y + 1) for c in range(x, 0, -1) if sheet.get((c, y + 1)) in ("┬", "└")), below)
    if sheet[below] != "┬":
        return set()
    todo, seen, found = [(below[0], below[1] + 1)], set(), set()
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        if sheet.get(place) == "▼":
            found |= {name for (nx, ny), name in names.items() if ny == place[1] + 2 and abs(nx - place[0]) < 12}
            continue
        for way in WAYS.get(sheet.get(place, ""), ""):
            dx, dy, back = STEPS[way]
            other = (place[0] + dx, place[1] + dy)
            if back in WAYS.get(sheet.get(other, ""), "") and other != below:
                todo.append(other)
    return found


@pytest.mark.parametrize("path", [*WHOLE, ROOT / "weights" / "mnist.h5"], ids=name_of)
def test_models(path: Path) -> None:
    summary = summarise(path)
    boxes = boxes_of(summary)
    text = "\n".join(diagram(boxes))
    for layer in summary.layers:
        assert f" {layer.name} · {layer.class_name}" in text
    root = ET.fromstring(svg(boxes, summary.name))
    titles = [element.text or "" for element in root.iter(f"{SVG}title")]
    assert all(any(title.startswith(f"{each.name}: ") for title in titles) for each in boxes)
    assert sum(" → " in title for title in titles) == sum(len(set(each.feeds)) for each in boxes)
    image = Image.open(io.BytesIO(png(boxes)))
    assert image.format == "PNG"
    assert len(image.convert("RGB").getcolors(1 << 24)) > 10


def test_the_hidden_input_of_a_sequential_model_is_drawn() -> None:
    boxes = boxes_of(summarise(ROOT / "weights" / "mnist.h5"))
    assert (boxes[0].class_name, boxes[0].shape) == ("InputLayer", "28×28×1")
    assert boxes[1].feeds == (0,)


def test_layers_that_feed_each_other_in_a_circle_are_drawn() -> None:
    boxes = [box("a"), box("b", 0, 2), box("c", 1)]
    assert all(name in "\n".join(diagram(boxes)) for name in ("a · Add", "b · Add", "c · Add"))
    assert len(draw(boxes).boxes) == 3


@pytest.mark.parametrize("name", ['<script>alert("1")</script>', "a&b", "x\x00\x08\ufffey", "日本", "]]>"])
def test_names_are_text(name: str) -> None:
    root = ET.fromstring(svg([box(name), box("b", 0)], name))
    assert not list(root.iter(f"{SVG}script"))
    assert any((element.text or "").startswith(escaped_twice(name)) for element in root.iter(f"{SVG}text"))
    assert Image.open(io.BytesIO(png([box(name), box("b", 0)]))).size > (0, 0)
    assert plain(name).isascii()


def escaped_twice(name: str) -> str:
    """What a reader of XML makes of an escaped name."""
    return str(ET.fromstring(f"<a>{escaped(name)}</a>").text)


def test_very_large_graphs_are_drawn_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [box("a")] + [box(f"layer_{i}", i) for i in range(2500)]
    monkeypatch.setattr("engine.look.png.MOST_PIXELS", 500_000)
    image = Image.open(io.BytesIO(png(boxes[:200])))
    assert image.width * image.height <= 510_000
    assert len(list(diagram(boxes))) > 10_000


def infer(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["summary", "--weights", *map(str, arguments)], prog_name="infer")


def test_the_command(tmp_path: Path) -> None:
    path = GOLDEN / "k3" / "functional_residual.h5"
    result = infer(path, "--diagram")
    assert result.exit_code == 0
    assert result.stdout.count("▼") >= 6
    result = infer(path, "--svg", tmp_path / "a.svg", "--png", tmp_path / "a.png")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<svg ")
    assert Image.open(tmp_path / "a.png").format == "PNG"
    assert np.asarray(Image.open(tmp_path / "a.png")).std() > 0


def test_expanded_models() -> None:
    path = GOLDEN / "k2" / "nested_teachable_machine.h5"
    lines = infer(path, "--expand").stdout.splitlines()
    plain_lines = infer(path).stdout.splitlines()
    assert any(line.startswith("    depthwise_conv2d (DepthwiseConv2D)") for line in lines)
    assert [line for line in lines if "params" in line] == [line for line in plain_lines if "params" in line]
    assert sum(line.startswith("    ") for line in lines) == 11
