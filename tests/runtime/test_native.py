"""From names of kernels to addresses: what the store cannot give is compiled, and the numbers are right in any case."""

import errno
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

from engine.errors import KernelError
from engine.ir import reference
from engine.ir.graph import Graph
from engine.ir.ops import RELU, Conv, Dense, Reshape, Softmax
from engine.kernels.isa import Isa
from engine.plan.machine import this_machine
from engine.plan.program import plan
from engine.runtime import compile as compiling
from engine.runtime import elf, native, session, store
from engine.runtime.session import FallbackSession, Session, new_session
from engine.runtime.warmup import all_kernels
from tests.graphs import Net

ISA = this_machine().isa


def small_net() -> tuple[Graph, Net]:
    net = Net()
    x = net.add(Conv(activation=RELU), net.input(5, 5, 2), net.kernel(2, 2, 2, 6), net.weight(6))
    x = net.add(Dense(), net.add(Reshape((96,)), x), net.kernel(96, 5))
    return net.graph(net.add(Softmax(), x)), net


NAMES = sorted({*plan(small_net()[0], this_machine()).kernels, "run", "worker"})


@pytest.fixture(scope="module")
def codes() -> dict[str, bytes]:
    """The object code of each kernel that these tests need."""
    native.addresses(NAMES, ISA)
    folder = store.folder(ISA.name)
    assert folder is not None, "these tests need a cache folder"
    found = {name: store.load(folder, name) for name in NAMES}
    return {name: code for name, code in found.items() if code}


@pytest.fixture
def compiled(
    codes: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """The names compiled in a test, which begins with a full store of its own and nothing loaded."""
    done: list[str] = []

    def compile_kernels(names: Iterable[str], isa: Isa, keep: Callable[[str, bytes], None]) -> None:
        for name in names:
            done.append(name)
            keep(name, codes[name])

    monkeypatch.setattr("engine.runtime.compile.compile_kernels", compile_kernels)
    monkeypatch.setattr(native, "_addresses", {})
    monkeypatch.setattr(native, "_linker", None)
    monkeypatch.setenv("ENGINE_CACHE_DIR", str(tmp_path))
    store._not_kept.cache_clear()
    folder = store.folder(ISA.name)
    assert folder is not None
    for name, code in codes.items():
        store.save(folder, name, code)
    caplog.set_level(logging.DEBUG, "engine")
    return done


def folder_of(root: Path) -> Path:
    (folder,) = root.iterdir()
    return folder


def check_numbers(kind: type = Session) -> None:
    graph, net = small_net()
    made = new_session(graph, 2)
    assert type(made) is kind
    batch = net.batch(3)
    (found,) = made.run(batch, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference.run(graph, batch)[graph.outputs[0]], rtol=1e-5)


def test_a_full_store_compiles_nothing(compiled: list[str], caplog: pytest.LogCaptureFixture) -> None:
    check_numbers()
    assert (compiled, caplog.records) == ([], [])


@pytest.mark.parametrize("damage", ["truncated", "empty", "bit", "swapped", "missing"])
def test_a_damaged_file_is_made_anew(
    damage: str, compiled: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = folder_of(tmp_path) / "gemm.o"
    whole = file.read_bytes()
    if damage == "swapped":
        shutil.copy(file.with_name("softmax.o"), file)
    elif damage == "missing":
        file.unlink()
    else:
        file.write_bytes({"truncated": whole[:-7], "empty": b"", "bit": whole[:-1] + bytes([whole[-1] ^ 4])}[damage])
    check_numbers()
    assert (compiled, caplog.records) == (["gemm"], [])
    assert file.read_bytes() == whole


@pytest.mark.parametrize("harm", ["foreign", "writable by all", "a link", "no folder", "no home"])
def test_a_folder_that_is_not_safe_or_not_there(
    harm: str, compiled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = folder_of(tmp_path)
    if harm == "foreign":
        monkeypatch.setattr(store, "_trusted", lambda: (folder.stat().st_uid + 1,))
    elif harm == "writable by all":
        folder.chmod(0o777)
    elif harm == "a link":
        folder.symlink_to(folder.rename(tmp_path / "real"))
    elif harm == "no folder":
        monkeypatch.setenv("ENGINE_CACHE_DIR", str(folder / "gemm.o" / "below"))
    else:
        monkeypatch.delenv("ENGINE_CACHE_DIR")
        monkeypatch.setattr(store.settings, "cache_dir", lambda: None)
    check_numbers()
    check_numbers()
    assert sorted(compiled) == NAMES
    assert len(caplog.records) <= 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_store_that_cannot_be_written(
    code: int, compiled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    for file in folder_of(tmp_path).iterdir():
        file.unlink()
    check_numbers()
    assert sorted(compiled) == NAMES
    assert len(caplog.records) == 1


def test_without_executable_memory_numpy_computes(
    compiled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("cannot allocate executable memory")

    shutil.rmtree(folder_of(tmp_path))
    monkeypatch.setattr(elf, "check_memory", refuse)
    monkeypatch.setattr(llvm, "check_jit_execution", refuse)
    monkeypatch.setattr(native, "_linker", None)
    check_numbers(FallbackSession)
    assert [r.getMessage() for r in caplog.records] == [
        "computing with NumPy, slowly: this machine allows no executable memory: cannot allocate executable memory"
    ]
    assert compiled == []


def test_on_a_processor_without_kernels_numpy_computes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise KernelError("no kernels for this processor")

    monkeypatch.setattr(session, "this_machine", refuse)
    check_numbers(FallbackSession)
    assert [r.getMessage() for r in caplog.records] == ["computing with NumPy, slowly: no kernels for this processor"]


def test_an_address_is_found_once(compiled: list[str]) -> None:
    first = native.addresses(["gemm", "softmax", "gemm"], ISA)
    assert native.addresses(["softmax", "gemm"], ISA) == first
    assert sorted(first) == ["gemm", "softmax"]


def test_an_unknown_kernel_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "has_python", lambda: False)
    with pytest.raises(KernelError, match=r"kernel no_such_kernel cannot be compiled for .*: ModuleNotFoundError"):
        native.addresses(["no_such_kernel"], ISA)


def test_a_compiling_child_that_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = "import sys; sys.stderr.write('out of memory'); sys.exit(3)"
    monkeypatch.setattr(compiling, "command", lambda module: [sys.executable, "-c", failing])
    monkeypatch.setattr(compiling, "_compile_here", lambda name, isa: name.encode())
    kept: dict[str, bytes] = {}
    compiling.compile_kernels(["one", "two", "three"], ISA, kept.__setitem__)
    assert kept == {name: name.encode() for name in ("one", "two", "three")}


def undefined_symbols(code: bytes) -> set[str]:
    with tempfile.NamedTemporaryFile(suffix=".o") as file:
        file.write(code)
        file.flush()
        listing = subprocess.run(["nm", "--undefined-only", file.name], capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in listing.stdout.splitlines()}


needs_nm = pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
ALLOWED = {"memset", "memcpy", "memmove", "_GLOBAL_OFFSET_TABLE_"}


@needs_nm
def test_kernels_call_nothing_but_memory_functions(codes: dict[str, bytes]) -> None:
    for name, code in codes.items():
        assert undefined_symbols(code) <= ALLOWED, name


@needs_nm
@pytest.mark.slow
def test_no_kernel_calls_anything_but_memory_functions() -> None:
    native.addresses(all_kernels(), ISA)
    folder = store.folder(ISA.name)
    assert folder is not None
    for name in all_kernels():
        code = store.load(folder, name)
        assert code is not None
        assert undefined_symbols(code) <= ALLOWED, name
