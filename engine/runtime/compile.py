"""Have kernels compiled, by child processes where there is a Python to run, else in this process."""

import logging
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import IO

from engine.child import command, environment, has_python, search_path
from engine.errors import KernelError
from engine.kernels.isa import Isa
from engine.runtime.processors import available_threads

log = logging.getLogger("engine")

_MOST_CHILDREN = 2
_SLOW_FIRST = ("tile", "run", "conv_direct", "depthwise_direct")


def compile_kernels(names: Iterable[str], isa: Isa, keep: Callable[[str, bytes], None]) -> None:
    """Compile each kernel and hand its object code to `keep` as soon as it is there, from any thread.

    Raises `KernelError` where a kernel cannot be compiled at all.
    """
    order = sorted(names, key=lambda name: (name not in _SLOW_FIRST, name))
    log.warning("compiling %d kernels for %s, once on this machine", len(order), isa.name)
    done: set[str] = set()

    def record(name: str, code: bytes) -> None:
        keep(name, code)
        done.add(name)

    if has_python():
        _Children(order, isa, record).work()
    for name in (n for n in order if n not in done):
        record(name, _compile_here(name, isa))


class _Children:
    """Child processes that compile the kernels of one queue; a thread waits for each of them."""

    def __init__(self, names: list[str], isa: Isa, record: Callable[[str, bytes], None]) -> None:
        self._isa, self._record = isa, record
        self._waiting: SimpleQueue[str] = SimpleQueue()
        for name in names:
            self._waiting.put(name)
        self._count = min(_MOST_CHILDREN, available_threads(), len(names))
        self._running: list[subprocess.Popen[bytes]] = []

    def work(self) -> None:
        """Return when the queue is empty or every child has failed; end the children if interrupted."""
        others = []
        try:
            for _ in range(self._count - 1):
                other = threading.Thread(target=self._serve)
                try:
                    other.start()
                except RuntimeError:
                    break
                others.append(other)
            self._serve()
            for other in others:
                other.join()
        except BaseException:
            list(self._drain())
            for child in self._running:
                child.kill()
            raise

    def _serve(self) -> None:
        try:
            with tempfile.TemporaryFile() as errors:
                self._compile_in_child(errors)
        except Exception as error:
            log.info("the compiling child process failed: %s", error)

    def _compile_in_child(self, errors: IO[bytes]) -> None:
        variables = environment(NUMBA_CPU_NAME=self._isa.cpu, NUMBA_CPU_FEATURES="")
        asked, pipe = command("engine.kernels.compiler"), subprocess.PIPE
        with subprocess.Popen(asked, stdin=pipe, stdout=pipe, stderr=errors, env=variables) as child:
            self._running.append(child)
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(search_path() + f"{self._isa.name}\n".encode())
            for name in self._drain():
                child.stdin.write((name + "\n").encode())
                child.stdin.flush()
                head = child.stdout.read(8)
                size = int.from_bytes(head, "little")
                code = child.stdout.read(size)
                if len(head) < 8 or len(code) < size:
                    child.kill()
                    child.wait()
                    raise KernelError(_last_line(errors, child.returncode))
                self._record(name, code)
            child.kill()  # a process forked meanwhile may hold its standard input open

    def _drain(self) -> Iterator[str]:
        while True:
            try:
                yield self._waiting.get_nowait()
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
