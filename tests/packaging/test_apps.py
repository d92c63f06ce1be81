"""The package inside an app: a folder made by PyInstaller, and a zip file that Python runs."""

import os
import shutil
import subprocess
import sys
import zipapp
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.processes import ROOT

pytestmark = pytest.mark.slow

IMAGES = [str(ROOT / "samples" / name) for name in ("3_b.png", "7_a.jpg", "9_c.png")]
PROBE = """
import sys
from engine.runtime.sources import kernel_sources, numba_version

if sys.argv[1:] == ["--probe"]:
    names = [name for name, content in kernel_sources() if content]
    print(len(names), numba_version().decode(), getattr(sys, "frozen", False))
else:
    from cli import main
    main()
"""


def run(command: list[str | Path], cache: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an app in an empty folder, with nothing of the source tree to be found."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    environment["ENGINE_CACHE_DIR"] = str(cache)
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def answers(command: list[str | Path], weights: str, cache: Path, folder: Path) -> list[str]:
    """What an app prints with an empty cache of kernels, which it prints with a full one too, without compiling."""
    asked = [*command, *IMAGES, "--weights", weights, "--format", "csv"]
    first, second = (run(asked, cache, folder) for _ in range(2))
    assert "compiling" in first.stderr
    assert "compiling" not in second.stderr
    assert first.stdout == second.stdout
    return first.stdout.splitlines()


def explained(command: list[str | Path], weights: str, cache: Path, folder: Path) -> None:
    """An app finds the files that pages are made of."""
    run([*command, "explain", IMAGES[0], "--weights", weights, "-o", folder / "3.html"], cache, folder)
    assert (folder / "3.html").read_text("utf-8").rstrip().endswith("</html>")


def checked(lines: list[str]) -> None:
    assert [line.split(",")[1] for line in lines[1:]] == ["3", "7", "9"]


def test_a_zip_file_that_python_runs(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(ROOT / "engine", app / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cli.py", app)
    zipapp.create_archive(app, tmp_path / "infer.pyz", main="cli:main")
    shutil.rmtree(app)
    command = [sys.executable, tmp_path / "infer.pyz"]
    weights, where = str(ROOT / "weights" / "mnist.h5"), (tmp_path / "kernels", tmp_path / "empty")
    checked(answers(command, weights, *where))
    explained(command, weights, *where)


@pytest.mark.skipif(find_spec("PyInstaller") is None, reason="PyInstaller is not installed")
def test_a_folder_made_by_pyinstaller(tmp_path: Path) -> None:
    if not any(d.metadata["Name"] == "numba-infer" for d in metadata.distributions()):
        pytest.skip("numba-infer is not installed in this environment, so PyInstaller finds no hook")
    (tmp_path / "app.py").write_text(PROBE)
    build = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--onedir", "--name", "app", "--log-level", "ERROR"]
    subprocess.run([*build, tmp_path / "app.py"], cwd=tmp_path, check=True, timeout=900)
    app = tmp_path / "dist" / "app" / "app"
    where = tmp_path / "kernels", tmp_path / "empty"
    checked(answers([app], "mnist.h5", *where))
    explained([app], "mnist.h5", *where)
    count, numba, frozen = run([app, "--probe"], *where).stdout.split()
    assert int(count) >= len(list((ROOT / "engine" / "kernels").glob("*.py"))) - 1
    assert numba == metadata.version("numba")
    assert frozen == "True"
    assert metadata.version("numba-infer") in run([app, "--version"], *where).stdout
