"""Files of compiled kernels: one folder a kernel source, tool version and instruction-set class.

A file is the SHA-256 of its object code, then the code. What is damaged, foreign or writable by others is not used; a
store that cannot be written is no error.
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
        log.info("compiled kernels are not kept: %s", error)
        return None


def _private(path: Path) -> bool:
    if os.name != "posix":
        return True
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
        return True
    log.warning("compiled kernels are not kept: %s is not a private folder of this user", path)
    return False


def load(path: Path, kernel: str) -> bytes | None:
    """The object code of a kernel, or None if it is not there or not whole."""
    try:
        data = _file(path, kernel).read_bytes()
    except OSError:
        return None
    return data[32:] if len(data) > 32 and hashlib.sha256(data[32:]).digest() == data[:32] else None


def save(path: Path, kernel: str, code: bytes) -> None:
    """Keep a kernel's object code; a full disk or a lost right is logged once and otherwise ignored."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(temporary, _file(path, kernel))
    except OSError as error:
        log.info("compiled kernel %s is not kept: %s", kernel, error)
        with suppress(OSError):
            os.unlink(temporary)


def _file(path: Path, kernel: str) -> Path:
    return path / (kernel.replace("/", "-") + ".o")
