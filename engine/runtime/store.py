"""Files of compiled kernels: one folder a kernel source, tool version and instruction-set class.

A file is a SHA-256 of its place and its object code, then the code. What is damaged, swapped, foreign or writable by
others is not used; a store that cannot be written is no error.
"""

import hashlib
import logging
import os
import stat
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import llvmlite

from engine import settings

log = logging.getLogger("engine")


@cache
def source_digest() -> str:
    """A digest of everything that decides what the compiler makes of a kernel, the class aside."""
    digest = hashlib.sha256()
    digest.update(f"python {sys.version_info[:2]} llvmlite {llvmlite.__version__} numba ".encode() + _numba_version())
    sources = [f for f in resources.files("engine.kernels").iterdir() if f.name.endswith(".py")]
    for file in sorted(sources, key=lambda f: f.name):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _numba_version() -> bytes:
    """Numba's own version file, read without importing Numba."""
    found = find_spec("numba")
    for folder in (found and found.submodule_search_locations) or ():
        with suppress(OSError):
            return (Path(folder) / "_version.py").read_bytes()
    return b"unknown"


def folder(isa_name: str) -> Path | None:
    """The folder for a class, made if need be; None where it cannot be had or is not safe to load code from."""
    root = settings.cache_dir()
    if root is None:
        return None
    path = root / f"{isa_name}-{source_digest()}"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path if _private(path) else None
    except OSError as error:
        _not_kept(path, error.strerror)
        return None


def _private(path: Path) -> bool:
    if os.name != "posix":
        return True
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
        return True
    _not_kept(path, "it is not a private folder of this user", logging.WARNING)
    return False


def load(path: Path, kernel: str) -> bytes | None:
    """The object code of a kernel, or None if it is not there or not whole."""
    try:
        data = _file(path, kernel).read_bytes()
    except OSError:
        return None
    code = data[32:]
    return code if code and _digest(path, kernel, code) == data[:32] else None


def save(path: Path, kernel: str, code: bytes) -> None:
    """Keep a kernel's object code; a full disk or a lost right is logged once and otherwise ignored."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(_digest(path, kernel, code) + code)
        os.replace(temporary, _file(path, kernel))
    except OSError as error:
        _not_kept(path, error.strerror)
        with suppress(OSError):
            os.unlink(temporary)


@cache
def _not_kept(path: Path, reason: str | None, level: int = logging.INFO) -> None:
    log.log(level, "compiled kernels are not kept in %s: %s", path, reason)


def _digest(path: Path, kernel: str, code: bytes) -> bytes:
    return hashlib.sha256(f"{path.name}/{kernel}\0".encode() + code).digest()


def _file(path: Path, kernel: str) -> Path:
    return path / (kernel.replace("/", "-") + ".o")
