"""The README keeps its word: its commands and its code run, its links lead somewhere."""

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import main
from tests.docs.blocks import blocks, furnish
from tests.processes import ROOT

FIRST = ["pip install . && infer samples/ --weights weights/mnist.h5\n", "pip install -e '.[test]' && pytest\n"]
COMMANDS = [line.partition("#")[0].strip() for line in blocks("README.md", "")[2].splitlines()]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything that the commands name, in which the test works."""
    furnish(tmp_path)
    shutil.copytree(ROOT / "samples", tmp_path / "images", ignore=lambda _, names: set(names) - {"3_b.png", "7_a.jpg"})
    for name in ("3_b.png", "7_a.jpg"):
        (tmp_path / "photos" / name[0]).mkdir(parents=True)
        shutil.copy(ROOT / "samples" / name, tmp_path / "photos" / name[0] / name)
    shutil.copy(ROOT / "samples" / "3_b.png", tmp_path / "a.png")
    shutil.copy(ROOT / "samples" / "7_a.jpg", tmp_path / "b.jpg")
    for suffix in (".h5", ".json"):
        shutil.copy(ROOT / "weights" / f"mnist{suffix}", tmp_path / f"model{suffix}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_two_commands_come_first() -> None:
    assert blocks("README.md", "")[:2] == FIRST
    run = (ROOT / ".ci" / "run").read_text()
    assert all(command.strip() in run for command in FIRST)


def test_the_code_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for code in blocks("README.md", "python"):
        names: dict[str, Any] = {}
        exec(compile(code, "README.md", "exec"), names)
        for name, shape in re.findall(r"^(\w+) = .*?# .*?(\(\d+, [\d, ]+\)):", code, re.MULTILINE):
            assert str(names[name].shape) == shape
    assert "3" in capsys.readouterr().out


@pytest.mark.parametrize("line", [line for line in COMMANDS if line != "infer warmup"])
def test_the_commands_run(line: str, folder: Path) -> None:
    name, *words = shlex.split(line)
    assert name == "infer"
    found = CliRunner().invoke(main, words)
    assert found.exit_code == 0, found.output
    if "-o" in words:
        assert (folder / words[words.index("-o") + 1]).stat().st_size > 100


@pytest.mark.parametrize("page", ["README.md", "docs/embedding.md", "engine/README.md", "bench/README.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    anchors = {"#" + re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target in anchors, target
        elif "://" not in target:
            assert ((ROOT / page).parent / target.partition("#")[0]).exists(), target
