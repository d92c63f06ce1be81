"""Have kernels compiled, by child processes where there is a Python to run, else in this process."""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from engine.errors import KernelError
from engine.kernels.isa import Isa

log = logging.getLogger("engine")

_BOOT = """import json, sys
sys.path[:] = json.loads(sys.stdin.readline())
from engine.kernels.compiler import main
main()"""
_KEPT = ("PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG")
_CHILDREN = 2
_SLOW_FIRST = ("tile", "run", "conv_direct", "depthwise_direct")


def compile_kernels(names: Iterable[str], isa: Isa, keep: Callable[[str, bytes], None]) -> None:
    """Compile each kernel and hand its object code to `keep` as soon as it is there, from any thread.

    Raises `KernelError` where a kernel cannot be compiled at all.
    """
    order = sorted(names, key=lambda name: (name not in _SLOW_FIRST, name))
    log.warning("compiling %d kernels for %s, once on this machine", len(order), isa.name)
    waiting: SimpleQueue[str] = SimpleQueue()
    for name in order:
        waiting.put(name)
    done: set[str] = set()

    def record(name: str, code: bytes) -> None:
        keep(name, code)
        done.add(name)

    if _has_python():
        with ThreadPoolExecutor(min(_CHILDREN, os.cpu_count() or 1, len(order))) as pool:
            workers = [pool.submit(_serve, waiting, isa, record) for _ in range(pool._max_workers)]
        problems = [str(error) for worker in workers if (error := worker.exception())]
        if problems:
            log.info("the compiling child process failed: %s", problems[0])
    for name in (n for n in order if n not in done):
        record(name, _compile_here(name, isa))


def _has_python() -> bool:
    frozen = getattr(sys, "frozen", False)
    return bool(sys.executable) and not frozen and Path(sys.executable).name.lower().startswith(("python", "pypy"))


def _serve(waiting: "SimpleQueue[str]", isa: Isa, record: Callable[[str, bytes], None]) -> None:
    environment = {k: v for k, v in os.environ.items() if k in _KEPT}
    environment |= {"NUMBA_CPU_NAME": isa.cpu, "NUMBA_CPU_FEATURES": ""}
    command = [sys.executable, "-I", "-B", "-c", _BOOT]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, env=environment) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write((json.dumps([p or os.getcwd() for p in sys.path]) + "\n" + isa.name + "\n").encode())
        for name in _drain(waiting):
            child.stdin.write((name + "\n").encode())
            child.stdin.flush()
            head = child.stdout.read(8)
            size = int.from_bytes(head, "little")
            code = child.stdout.read(size)
            if len(head) < 8 or len(code) < size:
                child.kill()
                child.wait()
                raise KernelError(_last_line(errors, child.returncode))
            record(name, code)
        child.stdin.close()


def _drain(waiting: "SimpleQueue[str]") -> Iterator[str]:
    while True:
        try:
            yield waiting.get_nowait()
        except Empty:
            return


def _last_line(errors: IO[bytes], status: int) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {status}"


def _compile_here(name: str, isa: Isa) -> bytes:
    try:
        from engine.kernels.compiler import compile_kernel

        return compile_kernel(name, isa)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise KernelError(f"kernel {name} cannot be compiled for {isa.name}: {reason}") from error
