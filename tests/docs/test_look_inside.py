"""docs/look_inside.md: its commands and its code run, and its numbers are those of the code."""

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from engine.explaining.data import BUDGET
from engine.explaining.trace import MOST_STAGES
from tests.docs.blocks import blocks, furnish
from tests.processes import ROOT

PAGE = "docs/look_inside.md"
TEXT = (ROOT / PAGE).read_text("utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything that the page names, in which the test works."""
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", "".join(blocks(PAGE, "")).splitlines())
def test_the_commands_run(line: str, folder: Path) -> None:
    words = shlex.split(line)
    found = CliRunner().invoke(main, words[1:])
    assert found.exit_code == 0, found.output
    written = [
        folder / words[i + 1] for i, word in enumerate(words) if word in ("-o", "--svg", "--png", "--save-golden")
    ]
    assert all(path.stat().st_size > 1000 for path in written)
    assert written or len(found.stdout.splitlines()) > 8


def test_the_code_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = blocks(PAGE, "python")
    exec(text, {})
    assert capsys.readouterr().out == "3 occlusion (28, 28)\n"
    assert (folder / "3.html").read_text("utf-8").startswith("<!doctype html>")


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"at most {BUDGET:,} numbers" in TEXT
    assert f"more than {MOST_STAGES} stages" in TEXT
