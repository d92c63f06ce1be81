"""The environment variables that the engine reads. This table is all of them.

| variable | meaning | default |
|---|---|---|
| `ENGINE_CACHE_DIR` | folder of the compiled kernels | the user's cache folder, `numba-infer` below it |
| `ENGINE_NUM_THREADS` | most threads that one call uses | processors that this process may use |
| `ENGINE_ISA` | instruction-set class to compile for, at most the machine's own | the best of the machine |
| `ENGINE_BENCH_ENVS` | folder of other runtimes' environments, for `infer bench` | `~/.cache/numba-infer/bench-envs` |
"""

import os
import sys
from pathlib import Path

from engine.errors import EngineError

_CACHES = {"win32": ("LOCALAPPDATA", "AppData/Local"), "darwin": ("", "Library/Caches")}


def cache_dir() -> Path | None:
    """Where compiled kernels are kept; None where neither a cache folder nor a home folder is known."""
    if chosen := os.environ.get("ENGINE_CACHE_DIR"):
        return Path(chosen)
    variable, below_home = _CACHES.get(sys.platform, ("XDG_CACHE_HOME", ".cache"))
    base = Path(os.environ.get(variable, ""))
    try:
        return (base if base.is_absolute() else Path.home() / below_home) / "numba-infer"
    except RuntimeError:
        return None


def num_threads() -> int | None:
    """The number set in `ENGINE_NUM_THREADS`, if any."""
    text = os.environ.get("ENGINE_NUM_THREADS")
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise EngineError(f"ENGINE_NUM_THREADS: expected a whole number from 1, found {text!r}")
    return int(text)


def isa_name() -> str | None:
    """The class set in `ENGINE_ISA`, if any."""
    return os.environ.get("ENGINE_ISA") or None


def bench_environments() -> Path:
    """Where `python -m bench.peers` keeps an environment for each runtime."""
    chosen = os.environ.get("ENGINE_BENCH_ENVS") or "~/.cache/numba-infer/bench-envs"
    return Path(os.path.abspath(os.path.expanduser(chosen)))
