"""The page as text, the poster, and the command."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import engine
from cli import main
from engine.explaining import Explanation, explain
from engine.explaining.data import small
from engine.explaining.html import json_for_html
from engine.explaining.poster import number
from engine.look.letters import plain
from tests.frontend.handmade import layer, sequential, write
from tests.golden import models, name_of

ROOT = Path(__file__).parents[2]
WEIGHTS, SAMPLE = ROOT / "weights" / "mnist.h5", ROOT / "samples" / "7_b.png"


class Elements(HTMLParser):
    """Start tags with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in ("script", "style") and data.strip():
            self.inside.append(data)


@pytest.fixture(scope="module")
def found() -> Explanation:
    return explain(SAMPLE, WEIGHTS)


@pytest.fixture(scope="module")
def page(found: Explanation) -> str:
    return found.to_html()


def data_of(page: str) -> Any:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert match
    return json.loads(match[1])


def test_everything_is_inside(page: str) -> None:
    elements = Elements(page)
    for tag, attributes in elements.tags:
        assert tag not in ("link", "iframe", "img", "object", "base")
        assert not {"src", "href", "srcset"} & attributes.keys()
    style, data, script = elements.inside
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|fetch\(|https?:", script)
    assert len(data) < len(page)
    assert len(page) < 3_000_000


def test_its_policy_runs_its_own_script_only(page: str) -> None:
    elements = Elements(page)
    policy = next(a["content"] for t, a in elements.tags if t == "meta" and "http-equiv" in a)
    style, _, script = elements.inside
    for name, text in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in str(policy)
    assert "default-src 'none'" in str(policy)
    assert "unsafe" not in str(policy)


def test_stored_values_are_the_engines(found: Explanation, page: str) -> None:
    data = data_of(page)
    assert [stage["name"] for stage in data["stages"]] == [stage.name for stage in found.trace.stages]
    for stage, shown in zip(found.trace.stages, data["stages"], strict=True):
        stored = data["values"][str(shown["y"])]
        values = np.frombuffer(base64.b64decode(stored["data"]), "<f4").reshape(stored["shape"])
        np.testing.assert_array_equal(values, found.trace.values[stage.y])


def test_scores_are_the_classifiers(found: Explanation, page: str) -> None:
    result = engine.Classifier(WEIGHTS)(SAMPLE)
    best = data_of(page)["scores"][0]
    assert (best["label"], best["score"]) == (result.label, pytest.approx(result.score))
    assert found.label == result.label


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", "<!--", "a&b", "\u2028", "日本", '"quoted"'])
def test_names_cannot_end_the_data(name: str) -> None:
    text = json_for_html({"a": name, "b": [float("nan"), float("inf"), 1.5], "c": (1, 2)})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": name, "b": [None, None, 1.5], "c": [1, 2]}


def test_a_picture_from_memory() -> None:
    found = explain(np.asarray(Image.open(SAMPLE).convert("L")), engine.Classifier(WEIGHTS))
    assert found.file == "the picture"
    assert found.label == "7"
    assert "the picture" in found.to_html()


def test_dense_layers_only() -> None:
    found = explain(SAMPLE, ROOT / "weights" / "mnist_dense.h5")
    stages = data_of(found.to_html())["stages"]
    assert {stage["kind"] for stage in stages} == {"dense"}
    assert stages[0]["from"] == [28, 28, 1]
    assert Image.open(io.BytesIO(found.to_png())).width == 1400


def test_large_stages_are_stored_in_part(found: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.explaining.data.BUDGET", 60_000)
    text = found.to_html()
    stages = data_of(text)["stages"]
    assert len(text) < 1_000_000
    assert {stage["whole"] for stage in stages} == {True, False}
    for stage in stages:
        if not stage["whole"] and len(stage["out"]) == 3:
            assert len(stage["views"]["channels"]) == len(stage["windows"]) == 12
            seen = stage["windows"][0]
            total = sum(term["total"] for term in seen["terms"]) + seen["rest"]["total"]
            assert stage["kind"] == "maximum" or total == pytest.approx(seen["total"], rel=1e-6)
    assert "strongest channels" in " ".join(data_of(text)["notes"])


EVIL = "</script><img src=x onerror=window.hacked=1><script>window.hacked=1</script>\ud800\x1b[31m"


def of_hostile_names(folder: Path) -> Explanation:
    """A picture, a layer and a class, all with names that would like to be more than that."""
    image = folder / "a<img src=x onerror=window.hacked=1>\udcff.png"
    image.write_bytes(SAMPLE.read_bytes())
    described = sequential(
        layer("Conv2D", EVIL, filters=2, kernel_size=[3, 3]),
        layer("Flatten", f"{EVIL} 2"),
        layer("Dense", f"{EVIL} 3", units=3, activation="softmax"),
        shape=(None, 8, 8, 1),
    )
    weights = {
        "c": [("c/kernel:0", np.ones((3, 3, 1, 2))), ("c/bias:0", np.ones(2))],
        "d": [("d/kernel:0", np.ones((72, 3))), ("d/bias:0", np.arange(3.0))],
    }
    return explain(image, write(folder / "m.h5", described, weights), labels=[f"{EVIL}{i}" for i in range(3)])


def test_hostile_names_are_data(tmp_path: Path) -> None:
    found = of_hostile_names(tmp_path)
    page = found.to_html()
    page.encode("utf-8")
    assert [tag for tag, _ in Elements(page).tags if tag in ("script", "img")] == ["script", "script"]
    assert data_of(page)["stages"][0]["name"] == EVIL
    assert Image.open(io.BytesIO(found.to_png())).width == 1400


STEMS = ("functional_residual", "nested_teachable_machine", "sequential_seed_cnn", "global_average_pooling2d_default")
CLASSIFIERS = [m for m in models() if m.stem in (*STEMS, "global_max_pooling2d_default")]


def of_golden(path: Path) -> Explanation:
    return explain(np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3), path)


@pytest.mark.parametrize("budget", [0, 1000, 500_000])
@pytest.mark.parametrize("path", CLASSIFIERS, ids=name_of)
def test_any_classifier_can_be_explained(path: Path, budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.explaining.data.BUDGET", budget)
    found = of_golden(path)
    stages = data_of(found.to_html())["stages"]
    assert len(stages) == len(found.trace.stages)
    assert budget < 500_000 or all(stage["whole"] for stage in stages)
    assert Image.open(io.BytesIO(found.to_png())).width == 1400


def test_small_maps_are_means() -> None:
    view = np.arange(5 * 7, dtype=np.float32).reshape(5, 7)
    np.testing.assert_array_equal(small(view, 7), view)
    expected = [[view[:3, :3].mean(), view[:3, 3:6].mean(), view[:3, 6:].mean()]]
    expected += [[view[3:, :3].mean(), view[3:, 3:6].mean(), view[3:, 6:].mean()]]
    np.testing.assert_allclose(small(view, 3), expected)


def test_the_poster(found: Explanation) -> None:
    image = Image.open(io.BytesIO(found.to_png()))
    assert (image.format, image.width) == ("PNG", 1400)
    assert len(image.convert("RGB").getcolors(1 << 24)) > 200


def test_letters_and_numbers_of_the_poster() -> None:
    assert plain("⌊(28 − 3 + 2·1) / 1⌋ × 日") == "floor((28 - 3 + 2·1) / 1) x ?"
    assert [number(v) for v in (0.0, -0.0, 0.13579, -1131.06, 12.3456, 1.7e-05)] == [
        "0", "0", "0.136", "-1131.1", "12.35", "1.7e-05",
    ]  # fmt: skip


def infer(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, arguments)], prog_name="infer")


@pytest.mark.parametrize(("name", "start"), [("o.html", b"<!doctype html>"), ("o.PNG", b"\x89PNG")])
def test_the_command(tmp_path: Path, name: str, start: bytes) -> None:
    result = infer(SAMPLE, "--weights", WEIGHTS, "-o", tmp_path / name)
    assert result.exit_code == 0, result.output
    assert (tmp_path / name).read_bytes().startswith(start)
    assert "7_b.png is 7" in result.stderr
    assert result.stdout == ""


def test_options_on_pictures_are_heeded(tmp_path: Path) -> None:
    infer(SAMPLE, "--weights", WEIGHTS, "-o", tmp_path / "a.html", "--preprocess", "none")
    assert data_of((tmp_path / "a.html").read_text("utf-8"))["picture"]["high"] > 100


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [("o.pdf", 2, "*.html or *.png"), ("no/such/o.html", 1, "o.html"), ("x.png", 2, "overwrite")],
)
def test_wrong_usage(tmp_path: Path, name: str, code: int, said: str) -> None:
    (tmp_path / "x.png").write_bytes(SAMPLE.read_bytes())
    result = infer(tmp_path / "x.png", "--weights", WEIGHTS, "-o", tmp_path / name)
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_picture_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"nothing")
    result = infer(tmp_path / "x.png", "--weights", WEIGHTS, "-o", tmp_path / "o.html")
    assert result.exit_code == 1
    assert "x.png: not an image" in result.stderr
    assert not (tmp_path / "o.html").exists()
