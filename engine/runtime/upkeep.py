"""Between processes: one compiles while the others wait, and folders that nobody has used for long are removed."""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from engine.runtime.store import NEW, opened

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]  # this system has no such locks

_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_LEFT_OVER_SECONDS = 3600
_UNUSED_SECONDS = 30 * 24 * 3600
_FOLDER = re.compile(r"[a-z0-9-]+-[0-9a-f]{16}")


@contextmanager
def turn(path: Path | None) -> Iterator[None]:
    """Be the only process that compiles for this folder. Waits a minute at most, and not where there are no locks."""
    with ExitStack() as stack:
        with suppress(OSError):
            if path is not None:
                handle = stack.enter_context(opened(path))
                deadline = time.monotonic() + _PATIENCE_SECONDS
                while not _locked(handle) and time.monotonic() < deadline:
                    time.sleep(_LOOK_SECONDS)
        yield


def sweep(path: Path) -> None:
    """Remove what killed processes left in this folder, and the folders beside it that are no longer used.

    A process that has loaded its kernels needs their files no more; one that compiles holds a lock.
    """
    with suppress(OSError), opened(path) as handle:
        _unlink(handle, lambda name: name.startswith(NEW), _LEFT_OVER_SECONDS)
    with suppress(OSError):
        for folder in path.parent.iterdir():
            if folder != path and _FOLDER.fullmatch(folder.name):
                _remove(folder)


def _remove(folder: Path) -> None:
    with suppress(OSError), opened(folder) as handle:
        if handle is not None and _age(os.fstat(handle)) > _UNUSED_SECONDS and _locked(handle):
            _unlink(handle, lambda name: name.startswith(NEW) or name.endswith(".o"), 0)
            folder.rmdir()


def _unlink(handle: int | None, unwanted: Callable[[str], bool], age: float) -> None:
    if handle is None:
        return
    for name in filter(unwanted, os.listdir(handle)):
        if _age(os.stat(name, dir_fd=handle, follow_symlinks=False)) >= age:
            os.unlink(name, dir_fd=handle)


def _age(found: os.stat_result) -> float:
    return time.time() - found.st_mtime


def _locked(handle: int | None) -> bool:
    """Whether this process has the folder's lock now, which goes with the descriptor."""
    if handle is None or fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
