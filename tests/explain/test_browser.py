"""The page in a real browser: it renders, its numbers are the engine's, and it can be used."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.explaining import Explanation, explain
from engine.explaining.trace import Window, window
from tests.explain.browser import CHROMIUM, Browser, browser
from tests.explain.test_page import CLASSIFIERS, of_golden, of_hostile_names
from tests.golden import name_of

pytestmark = pytest.mark.skipif(CHROMIUM is None or sys.platform == "win32", reason="there is no Chromium on a pipe")

ROOT = Path(__file__).parents[2]
MAP = "#stage-1 canvas[data-map]"


@pytest.fixture(scope="module")
def found() -> Explanation:
    return explain(ROOT / "samples" / "3_b.png", ROOT / "weights" / "mnist.h5")


@pytest.fixture(scope="module")
def page(found: Explanation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "explain.html"
    path.write_text(found.to_html(), "utf-8")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def shown(chromium: Browser, page: Path) -> Browser:
    chromium.open(page)
    return chromium


def texts(shown: Browser, selector: str) -> list[str]:
    found: list[str] = shown.run(f"[...document.querySelectorAll('{selector}')].map((e) => e.textContent)")
    return found


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_it_renders(shown: Browser, found: Explanation) -> None:
    assert shown.run("document.documentElement.dataset.ready") == "yes"
    assert texts(shown, "h1") == ["The answer is 3"]
    assert texts(shown, "section.stage h2") == [stage.name for stage in found.trace.stages]
    assert shown.complaints() == []
    assert len(Image.open(io.BytesIO(shown.screenshot())).convert("RGB").getcolors(1 << 24)) > 100


def test_every_canvas_has_something_on_it(shown: Browser) -> None:
    blank = """[...document.querySelectorAll('canvas')].filter((c) => {
      const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      return !d.some((v, i) => i % 4 < 3 && v !== d[i % 4]);
    }).length"""
    assert shown.run("document.querySelectorAll('canvas').length") > 100
    assert shown.run(blank) <= 2


def test_it_loads_nothing(shown: Browser, page: Path) -> None:
    assert [url for url in shown.requests() if url != page.as_uri()] == []


def expected(found: Explanation, place: int, row: int, column: int, channel: int) -> Window:
    return window(found.trace, found.trace.stages[place], row, column, channel)


def check_window(shown: Browser, seen: Window) -> None:
    """The steps below a convolution: the sum, with the bias, after the activation."""
    steps = [number(text) for text in texts(shown, "#stage-1 .equation b")]
    assert steps == pytest.approx([seen.total, seen.total + seen.bias, seen.value], abs=2e-3, rel=2e-3)
    first = max(seen.terms, key=lambda term: abs(term.total))
    cells = [number(text) for text in texts(shown, "#stage-1 .term:first-child table:nth-of-type(1) td")][:9]
    assert cells == pytest.approx(np.nan_to_num(first.patch).ravel().tolist(), abs=2e-3)


def test_a_click_shows_the_numbers_of_its_window(shown: Browser, found: Explanation) -> None:
    channel = shown.run("+document.querySelector('#stage-1 .gallery [aria-pressed=true]').dataset.item")
    for row, column in [(9, 18), (21, 10), (14, 14)]:
        shown.click(MAP, (column + 0.5) / 28, (row + 0.5) / 28)
        assert f"Row {row}, column {column}" in texts(shown, "#stage-1 .looks figcaption")[-1]
        check_window(shown, expected(found, 1, row, column, channel))


def test_arrow_keys_move_the_element(shown: Browser, found: Explanation) -> None:
    shown.click(MAP, 10.5 / 28, 9.5 / 28)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        shown.press(key)
    assert "Row 9, column 11" in texts(shown, "#stage-1 .looks figcaption")[-1]
    assert "Row 9, column 11" in texts(shown, "#stage-1 [role=status]")[0]
    assert shown.run("document.activeElement.dataset.map") == str(found.trace.stages[1].y)
    channel = shown.run("+document.querySelector('#stage-1 .gallery [aria-pressed=true]').dataset.item")
    check_window(shown, expected(found, 1, 9, 11, channel))


def test_another_channel_can_be_chosen(shown: Browser, found: Explanation) -> None:
    shown.click("#stage-1 .gallery button:nth-child(5)")
    channel = shown.run("+document.querySelector('#stage-1 .gallery button:nth-child(5)').dataset.item")
    assert shown.run("document.querySelectorAll('#stage-1 .gallery [aria-pressed=true]').length") == 1
    caption = texts(shown, "#stage-1 .looks figcaption")[-1]
    assert caption.startswith(f"Channel {channel}. ")
    row, column = (int(word.strip(",")) for word in np.array(caption.split())[[3, 5]])
    check_window(shown, expected(found, 1, row, column, channel))


def test_all_channels_can_be_seen(shown: Browser) -> None:
    shown.click("#stage-1 .gallery .more")
    assert shown.run("document.querySelectorAll('#stage-1 .gallery canvas').length") == 64


def test_a_pool_shows_its_window_and_what_is_kept(shown: Browser, found: Explanation) -> None:
    channel = shown.run("+document.querySelector('#stage-2 .gallery [aria-pressed=true]').dataset.item")
    shown.click("#stage-2 canvas[data-map]", 9.5 / 14, 10.5 / 14)
    seen = expected(found, 2, 10, 9, channel)
    cells = [number(text) for text in texts(shown, "#stage-2 table.cells td")]
    assert cells == pytest.approx(seen.terms[0].patch.ravel().tolist(), abs=2e-3)
    chosen = [number(text) for text in texts(shown, "#stage-2 td.chosen")]
    assert chosen
    assert chosen[0] == pytest.approx(seen.value, abs=2e-3)


def test_a_unit_of_a_dense_layer_can_be_chosen(shown: Browser, found: Explanation) -> None:
    last = len(found.trace.stages) - 1
    shown.click(f"#stage-{last} .units button:nth-child(6)")
    result = number(texts(shown, f"#stage-{last} .equation b")[-1])
    assert result == pytest.approx(found.trace.values[found.trace.stages[-1].y][5], rel=2e-3)


def test_softmax_is_written_out(shown: Browser, found: Explanation) -> None:
    rows = texts(shown, "table.softmax tbody tr td:last-child")
    assert rows[0] == f"{100 * max(found.scores):.1f} %"


def test_light_and_dark(chromium: Browser, page: Path) -> None:
    def paper() -> Any:
        return chromium.run("getComputedStyle(document.body).backgroundColor")

    chromium.open(page, dark=True)
    dark = paper()
    chromium.click(".theme")
    light = paper()
    chromium.open(page)
    assert (dark, light) == ("rgb(19, 20, 24)", paper())


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_window(chromium: Browser, page: Path, width: int) -> None:
    chromium.open(page, width=width)
    assert chromium.run("document.documentElement.scrollWidth") <= width


def test_every_control_has_a_name_and_can_be_reached(shown: Browser) -> None:
    nameless = "[...document.querySelectorAll('button, input, canvas[tabindex]')].filter((e) => "
    nameless += "!(e.getAttribute('aria-label') || e.textContent.trim()) || e.tabIndex < 0).length"
    assert shown.run(nameless) == 0


@pytest.mark.parametrize("budget", [0, 500_000])
@pytest.mark.parametrize("path", CLASSIFIERS, ids=name_of)
def test_any_classifiers_page_renders(
    chromium: Browser, tmp_path: Path, path: Path, budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.explaining.data.BUDGET", budget)
    found = of_golden(path)
    page = tmp_path / "page.html"
    page.write_text(found.to_html(), "utf-8")
    chromium.open(page, width=700)
    assert chromium.run("document.documentElement.dataset.ready") == "yes"
    assert chromium.run("document.querySelectorAll('section.stage').length") == len(found.trace.stages)
    assert chromium.complaints() == []
    for i, stage in enumerate(found.trace.stages):
        chromium.run(f"document.querySelectorAll('#stage-{i} button').forEach((button) => button.click())")
        assert stage.name in texts(chromium, f"#stage-{i} h2")
    assert chromium.complaints() == []


def test_names_are_text(chromium: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(of_hostile_names(tmp_path).to_html(), "utf-8")
    chromium.open(page)
    assert chromium.run("document.documentElement.dataset.ready") == "yes"
    assert chromium.run("typeof window.hacked") == "undefined"
    assert chromium.run("document.images.length") == 0
    assert "<img src=x onerror=window.hacked=1>" in texts(chromium, "h1 em")[0]
    assert "<script>" in texts(chromium, "section.stage h2")[0]
    assert chromium.complaints() == []


def test_a_script_that_gets_in_is_not_run(chromium: Browser, page: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.html"
    other.write_text(page.read_text("utf-8").replace("</body>", "<script>window.hacked = 1</script></body>"), "utf-8")
    chromium.open(other)
    assert chromium.run("typeof window.hacked") == "undefined"
    assert chromium.complaints()
