"""The files of compiled kernels: what is not whole, not ours or not writable is never used and never an error."""

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

import pytest

import engine.kernels
from engine import settings
from engine.runtime import sources, store

CODE = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG, "engine")
    monkeypatch.setenv("ENGINE_CACHE_DIR", str(tmp_path / "cache"))
    store._not_kept.cache_clear()
    yield
    store._not_kept.cache_clear()
    store.source_digest.cache_clear()


@pytest.fixture
def folder() -> Path:
    path = store.folder("x86-64-v9")
    assert path is not None
    return path


def test_what_is_saved_is_loaded(folder: Path) -> None:
    store.save(folder, "activate/relu", CODE)
    assert store.load(folder, "activate/relu") == CODE
    assert store.load(folder, "activate/tanh") is None
    assert [f.name for f in folder.iterdir()] == ["activate-relu.o"]


def test_folder_and_files_are_private(folder: Path) -> None:
    store.save(folder, "gemm", CODE)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "gemm.o").stat().st_mode & 0o777 == 0o600


def test_any_damage_is_seen(folder: Path) -> None:
    store.save(folder, "gemm", CODE)
    file = folder / "gemm.o"
    whole = file.read_bytes()
    for place in (0, 31, 32, 33, len(whole) // 2, len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        file.write_bytes(damaged)
        assert store.load(folder, "gemm") is None
    for length in (0, 1, 31, 32, 33, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert store.load(folder, "gemm") is None
    file.write_bytes(whole + b"\0")
    assert store.load(folder, "gemm") is None


def test_swapped_files_are_seen(folder: Path) -> None:
    store.save(folder, "gemm", CODE)
    shutil.copy(folder / "gemm.o", folder / "tile.o")
    assert store.load(folder, "tile") is None


def test_a_file_of_another_class_is_seen(folder: Path) -> None:
    store.save(folder, "gemm", CODE)
    other = store.folder("x86-64-v1")
    assert other is not None
    shutil.copy(folder / "gemm.o", other / "gemm.o")
    assert store.load(other, "gemm") is None


def test_a_folder_in_place_of_a_file(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "gemm.o").mkdir()
    assert store.load(folder, "gemm") is None
    store.save(folder, "gemm", CODE)
    assert len(caplog.records) == 1
    assert [f.name for f in folder.iterdir()] == ["gemm.o"]


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_a_folder_that_others_may_write_is_refused(folder: Path, mode: int, caplog: pytest.LogCaptureFixture) -> None:
    folder.chmod(mode)
    assert [store.folder("x86-64-v9") for _ in range(3)] == [None] * 3
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert str(folder) in caplog.records[0].getMessage()


def test_a_folder_of_another_user_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store, "_trusted", lambda: (folder.stat().st_uid + 1,))
    assert store.folder("x86-64-v9") is None
    assert "others may write to it" in caplog.records[0].getMessage()


def test_a_folder_of_root_is_trusted_and_another_file_in_it_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(folder, "gemm", CODE)
    owner = folder.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert (store.folder("x86-64-v9") == folder) == (owner == 0)
    monkeypatch.undo()
    (folder / "gemm.o").chmod(0o666)
    assert store.load(folder, "gemm") is None


def test_a_file_that_is_a_link_or_no_file_is_not_read(folder: Path, tmp_path: Path) -> None:
    store.save(folder, "gemm", CODE)
    (folder / "gemm.o").rename(tmp_path / "gemm.o")
    (folder / "gemm.o").symlink_to(tmp_path / "gemm.o")
    assert store.load(folder, "gemm") is None
    os.mkfifo(folder / "tile.o", 0o600)
    assert store.load(folder, "tile") is None


def test_a_folder_that_is_swapped_after_its_check_is_not_read(folder: Path) -> None:
    store.save(folder, "gemm", CODE)
    folder.chmod(0o777)
    assert store.load(folder, "gemm") is None


def test_a_symbolic_link_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert store.folder("x86-64-v9") is None


def test_no_folder_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ENGINE_CACHE_DIR", str(tmp_path / "file" / "below"))
    assert [store.folder("x86-64-v9") for _ in range(3)] == [None] * 3
    assert len(caplog.records) == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_nothing_can_be_written(
    folder: Path, code: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(code, os.strerror(code), str(folder))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    for kernel in ("gemm", "tile", "run"):
        store.save(folder, kernel, CODE)
    assert [os.strerror(code) in r.getMessage() for r in caplog.records] == [True]


def test_the_disk_is_full_half_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    for kernel in ("gemm", "tile"):
        store.save(folder, kernel, CODE)
    assert len(caplog.records) == 1
    assert list(folder.iterdir()) == []


def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGINE_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert settings.cache_dir() is None
    assert store.folder("x86-64-v9") is None


def test_a_source_of_the_same_size_and_time_gives_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kernels"
    folder.mkdir()
    for file in Path(engine.kernels.__file__).parent.glob("*.py"):
        shutil.copy2(file, folder)
    monkeypatch.setattr(sources.resources, "files", lambda _: folder)
    store.source_digest.cache_clear()
    before = store.source_digest()
    changed = folder / "gemm.py"
    status, text = changed.stat(), changed.read_bytes()
    changed.write_bytes(text.replace(b"+ 1", b"+ 2", 1) if b"+ 1" in text else text[:-1] + b" ")
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (changed.stat().st_size, changed.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    store.source_digest.cache_clear()
    assert store.source_digest() != before


def test_another_compiler_gives_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    store.source_digest.cache_clear()
    digests = {store.source_digest()}
    for name, value in (("numba_version", lambda: b"0.99"), ("llvmlite", type("", (), {"__version__": "0.99"}))):
        with monkeypatch.context() as patch:
            patch.setattr(store, name, value)
            store.source_digest.cache_clear()
            digests.add(store.source_digest())
    assert len(digests) == 3


def test_numbas_version_is_read_from_its_own_file() -> None:
    assert b"version" in sources.numba_version()


def test_an_app_without_sources_is_told_by_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.resources, "files", lambda _: tmp_path / "nowhere")
    before = sources.kernel_sources()
    assert {"engine.kernels.gemm", "engine.kernels.simd"} <= {name for name, _ in before}
    assert sources.kernel_sources() == before

    def changed(self: SourceFileLoader, name: str) -> CodeType:
        text = self.get_data(self.get_filename(name)) + (b"\nMORE = 2.5\n" if name.endswith(".gemm") else b"")
        return compile(text, "elsewhere", "exec")

    monkeypatch.setattr(SourceFileLoader, "get_code", changed)
    after = sources.kernel_sources()
    assert [name for (name, a), (_, b) in zip(before, after, strict=True) if a != b] == ["engine.kernels.gemm"]


def test_code_is_the_same_wherever_it_was_compiled() -> None:
    text = "def f(x):\n    return x in {'a', 'b', 'c'}, lambda: 2.5\n"
    here, there = (list(sources._said(compile(text, name, "exec"))) for name in ("here", "there"))
    assert here == there
    assert here != list(sources._said(compile(text.replace("2.5", "2.25"), "here", "exec")))
