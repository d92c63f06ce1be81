"""docs/command_line.md: its commands run, and its tables are those of the code."""

import io
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from engine.commands.outputs import FORMATS
from engine.images.sources import MANY
from tests.docs.blocks import blocks, furnish
from tests.processes import ROOT

PAGE = "docs/command_line.md"
TEXT = (ROOT / PAGE).read_text()
COMMANDS = "".join(blocks(PAGE, "")).splitlines()
INFER = "import sys; sys.path.insert(0, {root!r}); from cli import main; main(prog_name='infer')"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything that the commands name, in which the test works."""
    furnish(tmp_path)
    shutil.copytree(ROOT / "samples", tmp_path / "images", ignore=lambda _, names: set(names) - {"3_b.png", "7_a.jpg"})
    shutil.copy(ROOT / "samples" / "3_b.png", tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    Path("list.txt").write_text("images/3_b.png\n")
    with zipfile.ZipFile("photos.zip", "w") as archive:
        archive.write("a.png")
    with tarfile.open("photos.tar.gz", "w:gz") as tar:
        tar.add("a.png")
    np.save("batch.npy", np.zeros((2, 28, 28), np.uint8))
    np.savez("batch.npz", x=np.zeros((2, 28, 28), np.uint8))
    return tmp_path


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_run(line: str, folder: Path) -> None:
    if "parquet" in line:
        pytest.importorskip("pyarrow")
    words = shlex.split(line)
    if "|" in words:
        if sys.platform == "win32":
            pytest.skip("no find here")
        (folder / "infer").write_text(f"#!{sys.executable}\n{INFER.format(root=str(ROOT))}\n")
        (folder / "infer").chmod(0o755)
        shell = subprocess.run(line.replace(" infer ", " ./infer "), shell=True, capture_output=True, check=False)
        assert shell.returncode == 0, shell.stderr
        assert shell.stdout.count(b"\n") == 2
        return
    given = io.BytesIO(Path(words.pop()).read_bytes()) if words[-2] == "<" else None
    found = CliRunner().invoke(main, [word for word in words[1:] if word != "<"], input=given)
    assert found.exit_code == 0, found.output
    if "-o" in words:
        assert (folder / words[words.index("-o") + 1]).stat().st_size > 100
    elif "--sort-into" in words:
        assert [path.name for path in sorted((folder / "by_class").rglob("*.*"))] == ["3_b.png", "7_a.jpg"]
    else:
        assert len(found.stdout.splitlines()) > 1


def test_every_form_and_kind_of_archive_is_named() -> None:
    for name in FORMATS:
        assert f"`{name}`" in TEXT
    shown = set(re.findall(r"`(\.[a-z0-9.]+)`", TEXT))
    assert shown >= set(MANY) - {".tgz", ".tbz2", ".txz"}
