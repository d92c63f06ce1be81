"""A first run whose compiler is quick: it takes its time, then hands out kernels that were compiled before.

Everything else is as in a first run: the folder, the lock, the files, the answer. The full store is that of the
environment variable `FULL_STORE`; `SLOWNESS` is the time for a kernel in seconds. With `BECOME`, the run is that of
the user of this number, who may read nothing here: modules and model are read before.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

import numpy as np

import engine
from engine.kernels.isa import Isa
from engine.runtime import compile as compiling
from engine.runtime import native, store
from tests.processes import ROOT


def compile_kernels(names: Iterable[str], isa: Isa, keep: Callable[[str, bytes], None]) -> None:
    """In place of `engine.runtime.compile.compile_kernels`."""
    names = list(names)
    compiling.log.warning("compiling %d kernels", len(names))
    full = Path(os.environ["FULL_STORE"]) / f"{isa.name}-{store.source_digest()}"
    for name in names:
        time.sleep(float(os.environ.get("SLOWNESS", "0")))
        code = store.load(full, name)
        if code is None:
            sys.exit(f"{name} is not in the full store {full}")
        keep(name, code)


def digest(model: bytes) -> str:
    """A digest of the model's answer."""
    x = np.random.default_rng(0).random((4, 28, 28, 1), np.float32)
    return hashlib.sha256(engine.load_model(model, threads=2).predict(x).tobytes()).hexdigest()


def become(user: int, model: bytes) -> None:
    """Import what a run imports, forget its kernels, and be another user without a home from now on."""
    cache = os.environ.pop("ENGINE_CACHE_DIR", None)
    os.environ["ENGINE_CACHE_DIR"] = os.environ["TRUE_STORE"]
    digest(model)
    for module in ("pwd", "fcntl", "engine.runtime.upkeep", "engine.runtime.compile"):
        import_module(module)
    native._addresses.clear()
    del os.environ["ENGINE_CACHE_DIR"]
    os.environ.pop("HOME", None)
    os.environ.pop("XDG_CACHE_HOME", None)
    if cache:
        os.environ["ENGINE_CACHE_DIR"] = cache
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def main() -> None:
    """Print the digest."""
    model = (ROOT / "weights" / "mnist_dense.h5").read_bytes()
    if "BECOME" in os.environ:
        become(int(os.environ["BECOME"]), model)
    compiling.compile_kernels = compile_kernels
    print(digest(model), flush=True)


if __name__ == "__main__":
    main()
