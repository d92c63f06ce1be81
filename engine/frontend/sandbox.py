"""Model files read in a process of their own, from which nothing comes but plain data and arrays, both checked.

What the HDF5 library does to damaged bytes ends there: a crash, a hang, or all memory taken, is an error here. The
child has the user's rights: it bounds faults, and is no cage for code.
"""

import json
import os
import signal
import subprocess
from contextlib import ExitStack, closing
from tempfile import TemporaryFile
from typing import IO, Any

from engine import child, errors
from engine.errors import EngineError, LimitExceededError, ModelFileError
from engine.frontend.exchange import Failure, read_answer
from engine.frontend.files import LentFile, Source, name_of, naming, open_bytes
from engine.frontend.saved import SavedModel

MEMORY = 4 << 30
ANSWER = 64 << 30
SECONDS = 120
_MODULE = "engine.frontend.sandboxed"
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def read_in_sandbox(
    source: Source, arch: Source | None, stack: ExitStack, *, build: bool, whole: bool = True
) -> SavedModel:
    """As `read_model`, or else as `read_saved`, by a child process, which leaves the weights in a temporary file.

    That stays open as long as `stack`. With `build` the child also makes the graph, so that what would take all memory
    or time takes the child's; it knows no functions and registered layers of this process. Raises `ModelFileError`
    where the child crashes, `LimitExceededError` where it needs too much. Without the module `resource`, as on Windows,
    only the time is bounded.
    """
    if not child.has_python():
        raise EngineError("a sandbox needs a Python to start, and there is none")
    with naming(name_of(source)):
        found = _answer(source, arch, stack, build, whole)
    if isinstance(found, Failure):
        raise _error(found)
    return found


def _answer(source: Source, arch: Source | None, stack: ExitStack, build: bool, whole: bool) -> SavedModel | Failure:
    contents: list[bytes] = []
    request = {
        "source": _described(source, contents),
        "arch": None if arch is None else _described(arch, contents),
        "build": build,
        "whole": whole,
        "limits": {"memory": MEMORY, "seconds": SECONDS, "answer": ANSWER},
    }
    asked = b"".join([child.search_path(), json.dumps(request).encode(), b"\n", *contents])
    answer = stack.enter_context(TemporaryFile())  # noqa: SIM115  # the weights stay in it
    command, environment = child.command(_MODULE), child.environment(**_ONE_THREAD)
    with TemporaryFile() as said:
        try:
            done = subprocess.run(
                command, input=asked, stdout=answer, stderr=said, env=environment, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise LimitExceededError(f"was not read within {SECONDS} seconds") from None
        if done.returncode:
            raise _fault(done.returncode, said)
    return read_answer(stack.enter_context(closing(LentFile(answer))))


def _described(source: Source, contents: list[bytes]) -> Any:
    """What the child is told of a source; what is no path goes to it whole."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    with closing(open_bytes(source)) as file:
        contents.append(file.read_at(0, file.size))
    return {"size": len(contents[-1]), "name": name_of(source)}


def _fault(status: int, messages: IO[bytes]) -> EngineError:
    """What to say of a child that ended in any other way than by answering."""
    if status == -getattr(signal, "SIGXCPU", 0):
        return LimitExceededError(f"was not read within {SECONDS} seconds")
    messages.seek(0)
    lines = messages.read(1 << 20).decode(errors="replace").split("\n")
    last = next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
    if "MemoryError" in last:
        return LimitExceededError(f"needs more than {MEMORY >> 20} MiB to be read")
    how = signal.Signals(-status).name if -status in set(signal.Signals) else f"exit status {status}"
    return ModelFileError(f"cannot be read: the process that read it ended with {how}{f': {last}' if last else ''}")


def _error(found: Failure) -> EngineError:
    named = getattr(errors, found.error, None)
    kind = named if isinstance(named, type) and issubclass(named, EngineError) else ModelFileError
    return kind(" ".join(found.message.split()))
