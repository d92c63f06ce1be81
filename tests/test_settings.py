"""Where compiled kernels are kept, by system and environment."""

import sys
from pathlib import Path

import pytest

from engine import settings


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENGINE_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize(
    ("system", "variable", "below_home"),
    [
        ("linux", "XDG_CACHE_HOME", ".cache"),
        ("darwin", None, "Library/Caches"),
        ("win32", "LOCALAPPDATA", "AppData/Local"),
    ],
)
def test_the_users_cache_folder(
    system: str, variable: str | None, below_home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert settings.cache_dir() == tmp_path / below_home / "numba-infer"
    if variable:
        for relative in ("", "here"):
            monkeypatch.setenv(variable, relative)
            assert settings.cache_dir() == tmp_path / below_home / "numba-infer"
        monkeypatch.setenv(variable, str(tmp_path / "caches"))
        assert settings.cache_dir() == tmp_path / "caches" / "numba-infer"
    monkeypatch.setenv("ENGINE_CACHE_DIR", "chosen")
    assert settings.cache_dir() == Path("chosen")


def test_a_cache_folder_is_used_where_there_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", no_home)
    assert settings.cache_dir() is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert settings.cache_dir() == tmp_path / "numba-infer"
