"""Files of compiled kernels: one folder a kernel source, tool version and instruction-set class.

A file is a SHA-256 of its place and its object code, then the code. What is damaged, swapped, foreign or writable by
others is not used: folder and file belong to this user or to root, and are looked at through the descriptors that are
read from. A store that cannot be written is no error.
"""

import hashlib
import logging
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import llvmlite

from engine import settings
from engine.runtime.sources import kernel_sources, numba_version

log = logging.getLogger("engine")

NEW = ".new-"
_USED_AGAIN = 24 * 3600
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


@cache
def source_digest() -> str:
    """A digest of everything that decides what the compiler makes of a kernel, the class aside."""
    digest = hashlib.sha256()
    digest.update(f"python {sys.version_info[:2]} llvmlite {llvmlite.__version__} numba ".encode() + numba_version())
    for name, content in kernel_sources():
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]


def folder(isa_name: str) -> Path | None:
    """The folder for a class, made if need be; None where it cannot be had or is not safe to load code from."""
    root = settings.cache_dir()
    if root is None:
        return None
    path = root / f"{isa_name}-{source_digest()}"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with opened(path) as handle:
            _mark_used(path, handle)
        return path
    except _NotPrivateError:
        _not_kept(path, "others may write to it", logging.WARNING)
    except OSError as error:
        _not_kept(path, error.strerror)
    return None


def _mark_used(path: Path, handle: int | None) -> None:
    """The time of a folder is that of its last use, within a day: see `upkeep`."""
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > _USED_AGAIN:
            os.utime(path if handle is None else handle)


def load(path: Path, kernel: str) -> bytes | None:
    """The object code of a kernel, or None if it is not there or not whole."""
    try:
        with opened(path) as parent:
            data = _read(path, kernel, parent)
    except OSError:
        return None
    code = data[32:]
    return code if code and _digest(path, kernel, code) == data[:32] else None


def save(path: Path, kernel: str, code: bytes) -> None:
    """Keep a kernel's object code; a full disk or a lost right is logged once and otherwise ignored."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path, prefix=NEW)
        with os.fdopen(handle, "wb") as file:
            file.write(_digest(path, kernel, code) + code)
        os.replace(temporary, _file(path, kernel))
    except OSError as error:
        _not_kept(path, error.strerror)
        with suppress(OSError):
            os.unlink(temporary)


class _NotPrivateError(OSError):
    """A folder or file is not this user's or root's alone."""


@contextmanager
def opened(path: Path) -> Iterator[int | None]:
    """A descriptor of a folder that only this user and root can write to; None where there are no such things.

    Raises `OSError`, also where others can write to the folder.
    """
    if os.name != "posix":
        yield None
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)
    try:
        _require_private(os.fstat(handle))
        yield handle
    finally:
        os.close(handle)


def _read(path: Path, kernel: str, parent: int | None) -> bytes:
    file = _file(path, kernel)
    if parent is None:
        return file.read_bytes()
    with os.fdopen(os.open(file.name, os.O_RDONLY | _NO_LINK, dir_fd=parent), "rb") as opened_file:
        found = os.fstat(opened_file.fileno())
        _require_private(found)
        return opened_file.read() if stat.S_ISREG(found.st_mode) else b""


def _require_private(found: os.stat_result) -> None:
    if found.st_uid not in _trusted() or found.st_mode & 0o022:
        raise _NotPrivateError


def _trusted() -> tuple[int, ...]:
    return (0, os.geteuid())


@cache
def _not_kept(path: Path, reason: str | None, level: int = logging.INFO) -> None:
    log.log(level, "compiled kernels are not kept in %s: %s", path, reason)


def _digest(path: Path, kernel: str, code: bytes) -> bytes:
    return hashlib.sha256(f"{path.name}/{kernel}\0".encode() + code).digest()


def _file(path: Path, kernel: str) -> Path:
    return path / (kernel.replace("/", "-") + ".o")
