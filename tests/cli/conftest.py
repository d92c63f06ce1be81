"""A folder of digits, and a model that tells their brightness."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cli import main
from tests.fake_model import FakeModel

VALUES = {"a": 0, "b": 51, "c": 102, "d": 127}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    return FakeModel().install(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: images/{a,b,c,d}.png, whose classes are 0, 2, 4 and 5, and m.h5."""
    (tmp_path / "images").mkdir()
    for name, value in VALUES.items():
        Image.new("L", (28, 28), value).save(tmp_path / "images" / f"{name}.png")
    (tmp_path / "m.h5").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def infer(folder: Path, model: FakeModel) -> Callable[..., Result]:
    """Runs the command with the arguments; adds the model if none is named."""

    def run(*arguments: str, weights: str | None = "m.h5") -> Result:
        extra = ["--weights", weights] if weights else []
        result = CliRunner().invoke(main, [*arguments, *extra], prog_name="infer")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return run
