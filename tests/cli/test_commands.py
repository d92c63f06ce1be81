"""Help, version, finding a model, and the commands beside the default one."""

import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import engine
import engine.shipped
from engine.plan.machine import this_machine
from tests.fake_model import FakeModel

MNIST = Path(__file__).parents[2] / "weights" / "mnist.h5"


@pytest.fixture
def loaded(model: FakeModel, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were loaded."""
    paths: list[str] = []
    monkeypatch.setattr(engine, "load_model", lambda path, **options: paths.append(str(path)) or model)
    return paths


@pytest.fixture
def shipped(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place where the package ships mnist.h5 and something else."""
    root = tmp_path_factory.mktemp("installed")
    (root / "weights").mkdir()
    (root / "weights" / "mnist.h5").touch()
    (root / "weights" / "README.md").touch()
    monkeypatch.setattr(engine.shipped, "__file__", str(root / "engine" / "shipped.py"))
    return root / "weights"


def test_help_shows_the_default_commands_options(infer: Any) -> None:
    result = infer("--help", weights=None)
    assert result.exit_code == 0
    for word in ("--weights", "--top-k", "--format", "--output", "--labels", "--invert", "--batch-size", "--threads"):
        assert word in result.stdout
    for command in ("classify", "summary", "warmup"):
        assert f"\n  {command}" in result.stdout
    assert "130" in result.stdout
    assert infer("-h", weights=None).stdout == result.stdout


def test_help_of_a_command(infer: Any) -> None:
    assert "[OPTIONS] [PATHS]..." in infer("images", "--help", weights=None).stdout
    assert "--top-k" not in infer("summary", "--help", weights=None).stdout


def test_nothing_asked_is_wrong_usage(infer: Any) -> None:
    result = infer(weights=None)
    assert result.exit_code == 2
    assert "--weights" in result.output


def test_summary(infer: Any, folder: Path) -> None:
    (folder / "m.h5").write_bytes(MNIST.read_bytes())
    result = infer("summary")
    assert result.exit_code == 0
    assert result.stdout.startswith('Model: "mnist"\n')
    assert result.stderr == "Using m.h5\n"


def test_a_folder_named_like_a_command(infer: Any, folder: Path) -> None:
    (folder / "images").rename(folder / "summary")
    (folder / "m.h5").write_bytes(MNIST.read_bytes())
    assert infer("summary").stdout.startswith('Model: "mnist"\n')
    assert "summary/c.png  4" in infer("./summary").stdout


def test_a_file_near_a_commands_name_is_a_file(infer: Any, folder: Path) -> None:
    (folder / "images" / "c.png").rename(folder / "sumary")
    assert "sumary  4" in infer("sumary").stdout


def test_a_bare_name_is_looked_up_in_three_places(infer: Any, folder: Path, shipped: Path, loaded: list[str]) -> None:
    result = infer("images", weights="mnist.h5")
    assert loaded.pop() == str(shipped / "mnist.h5")
    assert result.stderr.startswith(f"Using {shipped / 'mnist.h5'}\n")
    (folder / "weights").mkdir()
    (folder / "weights" / "mnist.h5").touch()
    result = infer("images", weights="mnist.h5")
    assert loaded.pop() == str(Path("weights", "mnist.h5"))
    assert result.stderr.startswith(f"Using {Path('weights', 'mnist.h5')}\n")
    (folder / "mnist.h5").touch()
    infer("images", weights="mnist.h5")
    assert loaded.pop() == "mnist.h5"


@pytest.mark.parametrize("name", ["README.md", "mnist2.h5", "mnist_dense.h5"])
def test_a_name_that_is_nowhere(name: str, infer: Any, shipped: Path) -> None:
    result = infer("images", weights=name)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {name}: no such file here or in weights/, nor one of the shipped mnist.h5, mnist_dense.h5\n"
    )


def test_a_path_is_taken_as_it_is(infer: Any, folder: Path, shipped: Path, loaded: list[str]) -> None:
    result = infer("images", weights="./mnist.h5")
    assert loaded == ["mnist.h5"]
    assert "Using" not in result.stderr


def test_version_names_what_matters(infer: Any) -> None:
    result = infer("--version", weights=None)
    assert result.exit_code == 0
    first, *lines = result.stdout.splitlines()
    assert first.startswith("infer, version ")
    versions = dict(line.split(maxsplit=1) for line in lines)
    assert versions["python"].startswith(platform.python_version())
    for package in ("numpy", "numba", "llvmlite", "h5py", "pillow"):
        assert versions[package] == metadata.version(package)
    assert f"set {this_machine().isa.name}, " in versions["instruction"]


def test_every_exit_code_is_in_the_help(infer: Any) -> None:
    for arguments in ((), ("classify",)):
        text = " ".join(infer(*arguments, "--help", weights=None).stdout.split())
        codes = text.split("Exit codes: ")[1]
        assert [int(part.split()[0]) for part in codes.split(", ")] == [0, 1, 2, 3, 4, 130, 143]
