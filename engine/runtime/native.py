"""Compiled kernels as addresses in this process. Numba is imported only where kernels have to be compiled here."""

import ctypes
import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from engine.errors import KernelError
from engine.kernels.isa import Isa
from engine.runtime import elf, store

log = logging.getLogger("engine")

_lock = threading.RLock()
_addresses: dict[tuple[str, str], int] = {}
_tries = count()
_linker: Any = None
_slots = (ctypes.c_int64 * 2)()


def addresses(names: Iterable[str], isa: Isa) -> dict[str, int]:
    """The address of each kernel, loaded from the store or compiled.

    Raises `KernelError` where the machine allows no executable memory or a kernel cannot be compiled.
    """
    wanted = sorted(set(names))
    with _lock:
        missing = [name for name in wanted if (isa.name, name) not in _addresses]
        if missing:
            _provide(missing, isa)
        return {name: _addresses[isa.name, name] for name in wanted}


def function(name: str, isa: Isa, arguments: int) -> Callable[..., int]:
    """A kernel as a callable of `arguments` int64 that releases the interpreter lock."""
    prototype = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_int64] * (arguments + 2))
    slots = ctypes.addressof(_slots)
    return partial(prototype(addresses([name], isa)[name]), slots, slots)


def _provide(names: list[str], isa: Isa) -> None:
    _check_memory()
    folder = store.folder(isa.name)
    codes = _stored(folder, names)
    if len(codes) < len(names):
        codes |= _compiled(folder, [name for name in names if name not in codes], isa)
    for name, code in codes.items():
        _addresses[isa.name, name] = _link(f"{isa.name} {name}", code)


def _stored(folder: Path | None, names: list[str]) -> dict[str, bytes]:
    return {name: code for name in names if folder and (code := store.load(folder, name))}


def _compiled(folder: Path | None, names: list[str], isa: Isa) -> dict[str, bytes]:
    """The kernels, kept for the next time. Of several processes one compiles; the others find what it has kept."""
    from engine.runtime.compile import compile_kernels
    from engine.runtime.upkeep import sweep, turn

    def keep(name: str, code: bytes) -> None:
        codes[name] = code
        if folder:
            store.save(folder, name, code)

    with turn(folder):
        codes = _stored(folder, names)
        if absent := [name for name in names if name not in codes]:
            compile_kernels(absent, isa, keep)
            if folder:
                sweep(folder)
    return codes


def before_fork() -> None:
    """Wait until no kernel is being loaded, so that a child process finds the linker at rest."""
    _lock.acquire()


def after_fork(child: bool) -> None:
    """Undo `before_fork`; a child gets a lock of its own."""
    global _lock  # noqa: PLW0603  # the parent's lock has an owner that does not exist in the child
    if child:
        _lock = threading.RLock()
    else:
        _lock.release()


def _check_memory() -> None:
    """Raise `KernelError` if nothing that is compiled could run."""
    if not elf.is_at_home():
        _llvm_linker()
        return
    try:
        elf.check_memory()
    except OSError as error:
        raise KernelError(f"this machine allows no executable memory: {error}") from None


def _link(title: str, code: bytes) -> int:
    try:
        address = elf.place(code, b"kernel")
    except OSError as error:
        raise KernelError(f"kernel {title} cannot be loaded: {error}") from None
    return _linked_by_llvm(title, code) if address is None else address


def _linked_by_llvm(title: str, code: bytes) -> int:
    import llvmlite.binding as llvm

    linker = _llvm_linker()
    try:
        library = (
            llvm.JITLibraryBuilder()
            .add_object_img(code)
            .export_symbol("kernel")
            .add_current_process()
            .link(linker, f"{title} {next(_tries)}")
        )
    except RuntimeError as error:
        raise KernelError(f"kernel {title} cannot be loaded: {error}") from None
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(library))  # at exit a thread may still be running this code
    return int(library["kernel"])


def _llvm_linker() -> Any:
    global _linker  # noqa: PLW0603  # one a process, made when first needed
    import llvmlite.binding as llvm

    if _linker is not None:
        return _linker
    try:
        llvm.check_jit_execution()
    except OSError as error:
        raise KernelError(f"this machine allows no executable memory: {error}") from None
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    _linker = llvm.create_lljit_compiler()
    return _linker
