"""Python in a process of its own: how it is started, what it is told, which of the host's variables it gets."""

import json
import os
import sys
from pathlib import Path

_BOOT = """import json, sys
sys.path[:] = json.loads(sys.stdin.buffer.readline())
from {module} import main
main()"""
_KEPT = ("PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG")


def has_python() -> bool:
    """Whether this process can start another Python."""
    frozen = getattr(sys, "frozen", False)
    return bool(sys.executable) and not frozen and Path(sys.executable).name.lower().startswith(("python", "pypy"))


def command(module: str) -> list[str]:
    """The command that calls `main()` of a module. Its first line of standard input must be `search_path()`."""
    return [sys.executable, "-I", "-B", "-c", _BOOT.format(module=module)]


def search_path() -> bytes:
    """Where this process imports from, as a line."""
    return (json.dumps([str(path) for path in sys.path]) + "\n").encode()


def environment(**more: str) -> dict[str, str]:
    """The few variables that any process needs, and `more`."""
    return {key: value for key, value in os.environ.items() if key in _KEPT} | more
