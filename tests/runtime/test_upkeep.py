"""Folders of kernels that nobody uses go, those in use stay; of several processes one compiles at a time."""

import os
import threading
import time
from pathlib import Path

import pytest

from engine.runtime import store, upkeep

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no locks on folders")
CODE = b"code" * 100
OLD = 31 * 24 * 3600


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ENGINE_CACHE_DIR", str(tmp_path))
    path = store.folder("x86-64-v9")
    assert path is not None
    store.save(path, "gemm", CODE)
    return path


def another(folder: Path, digest: str = "0123456789abcdef", unused: float = OLD) -> Path:
    """A folder of another version, last used so many seconds ago."""
    path = folder.with_name(f"x86-64-v9-{digest}")
    path.mkdir(mode=0o700)
    (path / "gemm.o").write_bytes(CODE)
    (path / ".new-left").write_bytes(CODE)
    set_age(path, unused)
    return path


def set_age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_folder_unused_for_long_is_removed_and_no_other(folder: Path) -> None:
    old, young = another(folder), another(folder, "f" * 16, OLD / 2)
    upkeep.sweep(folder)
    assert not old.exists()
    assert len(list(young.iterdir())) == 2
    assert store.load(folder, "gemm") == CODE


def test_the_folder_that_asks_stays_however_old(folder: Path) -> None:
    set_age(folder, OLD)
    upkeep.sweep(folder)
    assert store.load(folder, "gemm") == CODE


def test_use_makes_a_folder_young(folder: Path) -> None:
    set_age(folder, OLD)
    assert store.folder("x86-64-v9") == folder
    assert time.time() - folder.stat().st_mtime < 100


def test_what_another_process_compiles_into_is_left_alone(folder: Path) -> None:
    old = another(folder)
    with upkeep.turn(old):
        upkeep.sweep(folder)
        assert old.exists()
    upkeep.sweep(folder)
    assert not old.exists()


def test_only_what_the_engine_made_is_removed(folder: Path, tmp_path: Path) -> None:
    foreign, mixed = folder.with_name("notes"), another(folder)
    foreign.mkdir(mode=0o700)
    (foreign / "gemm.o").touch()
    set_age(foreign, OLD)
    (mixed / "notes.txt").touch()
    set_age(mixed, OLD)
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "gemm.o").touch()
    link = folder.with_name("x86-64-v9-" + "a" * 16)
    link.symlink_to(target)
    open_to_all = another(folder, "b" * 16)
    open_to_all.chmod(0o777)
    set_age(open_to_all, OLD)
    upkeep.sweep(folder)
    assert [f.name for f in foreign.iterdir()] == ["gemm.o"]
    assert [f.name for f in mixed.iterdir()] == ["notes.txt"]
    assert [f.name for f in target.iterdir()] == ["gemm.o"]
    assert len(list(open_to_all.iterdir())) == 2


def test_left_over_files_go_when_their_writer_is_gone(folder: Path) -> None:
    (folder / ".new-old").touch()
    (folder / ".new-young").touch()
    set_age(folder / ".new-old", 7200)
    upkeep.sweep(folder)
    assert sorted(f.name for f in folder.iterdir()) == [".new-young", "gemm.o"]


def test_a_second_turn_waits_for_the_first(folder: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with upkeep.turn(folder):
            order.append("second")

    with upkeep.turn(folder):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.2)
        order.append("first")
    waiting.join(30)
    assert order == ["first", "second"]


def test_nobody_waits_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_PATIENCE_SECONDS", 0.1)
    with upkeep.turn(folder), upkeep.turn(folder):
        pass


def test_errors_within_a_turn_come_out(folder: Path) -> None:
    with pytest.raises(OSError, match="of its own"), upkeep.turn(folder):
        raise OSError("of its own")
    with pytest.raises(OSError, match="of its own"), upkeep.turn(None):
        raise OSError("of its own")


def test_without_a_folder_there_is_nothing_to_do(tmp_path: Path) -> None:
    upkeep.sweep(tmp_path / "none")
    with upkeep.turn(tmp_path / "none"):
        pass
