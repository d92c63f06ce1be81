"""docs/images.md: its commands and its code run, and its tables are those of the code."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from engine.commands.picture_options import ACTIVATIONS
from engine.images.decode import MAX_PIXELS
from engine.images.metadata import KEYS, metadata_of
from engine.images.preprocess import PREPROCESS
from engine.images.resize import RESIZE
from tests.docs.blocks import blocks, furnish
from tests.processes import ROOT

PAGE = "docs/images.md"
TEXT = (ROOT / PAGE).read_text()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything that the page names, in which the test works."""
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    shutil.copy("weights/mnist_dense.h5", "model.h5")
    Path("names.txt").write_text("\n".join(f"digit {i}" for i in range(10)))
    for name in ("3_b.png", "7_a.jpg"):
        for parent in (Path("images"), Path("digits", name[0])):
            parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("samples", name), parent)
    return tmp_path


@pytest.mark.parametrize("line", "".join(blocks(PAGE, "")).splitlines())
def test_the_commands_run(line: str, folder: Path) -> None:
    found = CliRunner().invoke(main, shlex.split(line)[1:])
    assert found.exit_code == 0, found.output
    if " init " in line:
        assert (folder / "model.json").exists() is ("--in-file" not in line)
    if " eval " in line:
        assert found.stdout.startswith("accuracy 1.0000 (2 of 2)")
        assert (folder / "confusion.png").stat().st_size > 500


@pytest.mark.usefixtures("folder")
def test_the_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = blocks(PAGE, "python")
    exec(text, {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("size 28 × 28, resize keras, preprocess unit, invert auto")
    assert lines[1] == "{'value': 'keras', 'reason': 'the default'}"
    assert lines[2] == "['3' '7']"
    assert lines[3].startswith("1.0 ")


def rows(heading: str) -> list[str]:
    """The first cells of the table under a heading, as far as they are code."""
    part = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [
        name for cell in re.findall(r"^\| (.*?) \|", part, re.MULTILINE) for name in re.findall(r"^`([\w-]+)`", cell)
    ]


def test_the_tables_name_what_there_is() -> None:
    assert set(rows("Resizing")) == {*RESIZE, "--resize"}
    assert set(rows("Scaling")) == {*PREPROCESS, "--preprocess", "--scale"}
    assert all(f"`{name}`" in TEXT or f"--activation {name}`" in TEXT for name in ACTIVATIONS)
    assert f"{MAX_PIXELS // 10**6} million pixels" in TEXT


def test_the_sidecar_has_every_key() -> None:
    (text,) = blocks(PAGE, "json")
    assert set(json.loads(text)) == set(KEYS)
    assert set(metadata_of(json.loads(text), PAGE).to_dict()) == set(KEYS)
